import { createPrivateKey, webcrypto } from 'node:crypto';
import { Secret, utf8, type Clock, type DurationMs, type Rng } from '@ringfence/base';
import type * as X509 from '@peculiar/x509';
import { CryptoError } from '../crypto-error.ts';
import { readAuthority, type CertificateAuthority } from './certificate-authority.ts';
import { alternativeNames, serialNumber, toDate, x509Library } from './x509-library.ts';

const DAY_MS = 86_400_000;
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;
/** A DNS name whose labels are letters, digits and hyphens (RFC 5890 §2.3.1); no wildcard. */
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** A PKCS #10 request (RFC 2986) in PEM, and the key that it proves. */
export interface CertificateRequest {
  readonly requestPem: string;
  readonly privateKeyPem: Secret;
}

/** A request that checks out: who signed it holds the key. */
export interface CheckedRequest {
  readonly publicKey: webcrypto.CryptoKey;
  /** DNS names and IP addresses that it asks for. */
  readonly hosts: readonly string[];
}

/** A fresh ECDSA P-256 key, drawn by the operating system, and a request for a server certificate that names `hosts`. */
export async function createCertificateRequest(hosts: readonly string[]): Promise<CertificateRequest> {
  const x509 = await x509Library();
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=ringfence gateway',
    keys,
    signingAlgorithm: SIGNING,
    extensions: hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternativeNames(hosts))],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
  return { requestPem: `${request.toString('pem')}\n`, privateKeyPem: new Secret(utf8(pem.toString())) };
}

/**
 * Checks a request's form and its own signature. Throws CryptoError `bad-certificate` for another key than P-256, and for
 * more than `mostHosts` names or one that is no plain DNS name or IP address.
 */
export async function checkCertificateRequest(requestPem: string, mostHosts: number): Promise<CheckedRequest> {
  const x509 = await x509Library();
  try {
    const request = new x509.Pkcs10CertificateRequest(requestPem);
    const publicKey = await request.publicKey.export(P256, ['verify']);
    if (!(await request.verify())) throw new TypeError('signature');
    const hosts = hostsOf(request, x509);
    if (hosts.length > mostHosts) throw new TypeError('names');
    return { publicKey, hosts };
  } catch (cause) {
    throw new CryptoError('bad-certificate', 'the certificate request does not check out', { cause });
  }
}

/** A server certificate of `authority` for the key of a checked request: the chain in PEM, leaf first. */
export async function issueForRequest(
  authority: CertificateAuthority,
  options: { request: CheckedRequest; hosts: readonly string[]; clock: Clock; rng: Rng; lifetime: DurationMs },
): Promise<{ readonly chainPem: string; readonly notAfter: number }> {
  const { request, hosts, clock, rng, lifetime } = options;
  const [first] = hosts;
  if (first === undefined) throw new CryptoError('bad-certificate', 'a server certificate needs at least one host');
  const x509 = await x509Library();
  const issuer = await readAuthority(authority);
  const notAfter = toDate(clock.now() + lifetime);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(rng),
    // A common name is 64 letters at most (RFC 5280 appendix A.1) and nobody matches it.
    subject: 'CN=ringfence gateway',
    issuer: issuer.subject,
    notBefore: toDate(clock.now() - DAY_MS),
    notAfter,
    signingAlgorithm: SIGNING,
    publicKey: request.publicKey,
    signingKey: issuer.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternativeNames(hosts)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
    ],
  });
  return { chainPem: `${certificate.toString('pem')}\n${authority.certificatePem}`, notAfter: notAfter.getTime() };
}

function hostsOf(request: X509.Pkcs10CertificateRequest, x509: typeof X509): string[] {
  const names = Array.from(request.extensions).filter(
    (extension) => extension instanceof x509.SubjectAlternativeNameExtension,
  );
  return names.flatMap((extension) =>
    extension.names.items.map(({ type, value }) => {
      if (type === 'ip' || (type === 'dns' && DNS_NAME.test(value))) return value;
      throw new TypeError('names');
    }),
  );
}
