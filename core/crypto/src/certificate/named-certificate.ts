import { webcrypto, X509Certificate } from 'node:crypto';
import { epochMs, fromBase64Url, type Clock, type DurationMs, type EpochMs, type Rng } from '@ringfence/base';
import type { CertifyingKey } from './certifying-key.ts';
import type { TlsPublicKey } from './tls-key.ts';
import { serialNumber, toDate, x509Library } from './x509-library.ts';

/** Clocks of two parties may be so far apart. */
const SKEW_MS = 120_000;
const ED25519 = { name: 'Ed25519' } as const;

/** What a certificate says, once the signature of whoever certifies is checked. */
export interface NamedCertificate {
  /** The URI of whom it names. */
  readonly name: string;
  readonly from: EpochMs;
  readonly until: EpochMs;
}

/**
 * A certificate (PEM) for the TLS key of whom `name`, a URI, names: Ed25519 (RFC 8410), for both ends of TLS, good for `lifetime` from now and for
 * two minutes before, since clocks differ.
 */
export async function issueNamedCertificate(
  by: CertifyingKey,
  options: { name: string; key: TlsPublicKey; issuer: string; lifetime: DurationMs; clock: Clock; rng: Rng },
): Promise<string> {
  const { name, key, issuer, lifetime, clock, rng } = options;
  const x509 = await x509Library();
  const { subtle } = webcrypto;
  const pkcs8 = by.pkcs8();
  const signingKey = await subtle.importKey('pkcs8', pkcs8.expose(), ED25519, false, ['sign']);
  pkcs8[Symbol.dispose]();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(rng),
    // Who it is stands in the URI alone (RFC 5280 §4.1.2.6 then wants the extension critical).
    subject: '',
    issuer: `CN=${issuer}`,
    notBefore: toDate(clock.now() - SKEW_MS),
    notAfter: toDate(clock.now() + lifetime),
    signingAlgorithm: ED25519,
    publicKey: await subtle.importKey('raw', fromBase64Url(key), ED25519, true, ['verify']),
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: name }], true),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** What a certificate (DER) says that this key signed; undefined for any other bytes. Whether its time has come or is over is the caller's to ask. */
export function readNamedCertificate(by: CertifyingKey, certificate: Uint8Array): NamedCertificate | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    const [, name] = /^URI:([!-~]+)$/.exec(parsed.subjectAltName ?? '') ?? [];
    if (name === undefined || parsed.ca || !parsed.verify(by.publicKey)) return undefined;
    return {
      name,
      from: epochMs(parsed.validFromDate.getTime()),
      until: epochMs(parsed.validToDate.getTime()),
    };
  } catch {
    return undefined;
  }
}
