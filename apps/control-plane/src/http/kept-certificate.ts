import { errorFields, type Clock, type Log, type Rng } from '@ringfence/base';
import {
  givenCertificate,
  ownCertificate,
  type OwnCertificate,
  type ServerCertificate,
} from '@ringfence/client/server-certificate';
import type { ControlPlaneConfig } from '../config.ts';

/** Options of a TLS 1.3 server. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.3';
}

/** The certificate that the server shows, looked at once a day. */
export interface KeptCertificate {
  readonly current: OwnCertificate;
  /** Called with each certificate that was issued anew or that the operator replaced. */
  use(onRenewed: (options: TlsOptions) => void): void;
  stop(): void;
}

interface Parts {
  readonly config: ControlPlaneConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

const LOOK_EVERY_MS = 86_400_000;

/** Reads the operator's certificate, or issues one. Throws ClientError `bad-certificate`. */
export async function keepCertificate(parts: Parts): Promise<KeptCertificate> {
  const current = await read(parts);
  let onRenewed: (options: TlsOptions) => void = () => {};
  let cancel = parts.clock.after(LOOK_EVERY_MS, look);
  return {
    current,
    use: (callback) => {
      onRenewed = callback;
    },
    stop: () => cancel(),
  };

  function look(): void {
    cancel = parts.clock.after(LOOK_EVERY_MS, look);
    read(parts)
      .then((certificate) => onRenewed(tlsOptions(certificate)))
      .catch((error: unknown) => parts.log.error('certificate.not_renewed', errorFields(error)));
  }
}

/** Options of a server that shows `certificate`. */
export function tlsOptions({ certificatePem, privateKeyPem }: ServerCertificate): TlsOptions {
  return { cert: certificatePem, key: Buffer.from(privateKeyPem.expose()), minVersion: 'TLSv1.3' };
}

async function read({ config, clock, rng }: Parts): Promise<OwnCertificate> {
  const given = config.certificate;
  if (given !== undefined) return givenCertificate(given.certificateFile, given.keyFile);
  return ownCertificate({ state: config.state, names: config.names, clock, rng });
}
