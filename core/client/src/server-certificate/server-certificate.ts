import { existsSync, readFileSync } from 'node:fs';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Secret, type Clock, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import {
  certificateFingerprint,
  createCertificateAuthority,
  issueServerCertificate,
  type CertificateAuthority,
} from '@ringfence/crypto/certificate';
import { ClientError } from '../error.ts';

/** A certificate chain and its key, in PEM. */
export interface ServerCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: Secret;
}

/** A server's certificate, and what clients need to trust it: nothing when somebody else issued it. */
export interface OwnCertificate extends ServerCertificate {
  readonly caFile: string | null;
  readonly caFingerprint: string | null;
}

const RENEW_BEFORE = 30 * 86_400_000;

/** The certificate that the operator named; throws ClientError `bad-certificate` when a file cannot be read. */
export function givenCertificate(certificateFile: string, keyFile: string): OwnCertificate {
  try {
    const certificatePem = readFileSync(certificateFile, 'utf8');
    const privateKeyPem = new Secret(readFileSync(keyFile));
    return { certificatePem, privateKeyPem, caFile: null, caFingerprint: null };
  } catch (cause) {
    throw new ClientError('bad-certificate', 'the certificate or key file cannot be read', {
      cause,
      next: 'check the paths of --tls-cert and --tls-key and who may read them',
    });
  }
}

/**
 * The certificate of the server's own authority in the state folder, for all of `names`: made the first time, issued anew
 * from 30 days before it ends and when a name is missing. The authority stays, so clients keep their CA file.
 */
export async function ownCertificate(options: {
  state: string;
  names: readonly string[];
  clock: Clock;
  rng: Rng;
}): Promise<OwnCertificate> {
  const { state, names, clock, rng } = options;
  const caFile = join(state, 'ca.pem');
  const authority =
    readPair(caFile, join(state, 'ca-key.pem')) ??
    (await keepAuthority(state, await createCertificateAuthority({ clock, rng })));
  const caFingerprint = certificateFingerprint(authority.certificatePem);
  const kept = readPair(join(state, 'server.pem'), join(state, 'server-key.pem'));
  if (kept !== undefined && isGood(kept, { names, clock, authority })) return { ...kept, caFile, caFingerprint };
  const hosts = names.map((name) => name.replace(/^\[|\]$/g, ''));
  const issued = await issueServerCertificate(authority, { hosts, clock, rng });
  keepPair(state, 'server', issued);
  return { ...issued, caFile, caFingerprint };
}

async function keepAuthority(state: string, authority: CertificateAuthority): Promise<CertificateAuthority> {
  keepPair(state, 'ca', authority);
  return authority;
}

/** Two files, so a crash in between leaves a pair that does not fit: {@link isGood} sees that and a new one is made. */
function keepPair(state: string, name: 'ca' | 'server', pair: ServerCertificate): void {
  writeFileAtomic(join(state, `${name}-key.pem`), pair.privateKeyPem.expose());
  writeFileAtomic(join(state, `${name}.pem`), pair.certificatePem, 0o644);
}

function readPair(certificateFile: string, keyFile: string): ServerCertificate | undefined {
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return undefined;
  return { certificatePem: readFileSync(certificateFile, 'utf8'), privateKeyPem: new Secret(readFileSync(keyFile)) };
}

function isGood(
  pair: ServerCertificate,
  wanted: { names: readonly string[]; clock: Clock; authority: CertificateAuthority },
): boolean {
  try {
    const certificate = new X509Certificate(pair.certificatePem);
    const authority = new X509Certificate(wanted.authority.certificatePem);
    return (
      certificate.validToDate.getTime() - RENEW_BEFORE > wanted.clock.now() &&
      certificate.verify(authority.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(Buffer.from(pair.privateKeyPem.expose()))) &&
      wanted.names.every((name) => coversName(certificate, name.replace(/^\[|\]$/g, '')))
    );
  } catch {
    return false;
  }
}

function coversName(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}
