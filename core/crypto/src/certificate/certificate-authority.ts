import { createPrivateKey, webcrypto } from 'node:crypto';
import { Secret, utf8, type Clock, type DurationMs, type Rng } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import type { TlsIdentity } from './self-signed.ts';
import { alternativeNames, serialNumber, toDate, x509Library } from './x509-library.ts';

const DAY_MS = 86_400_000;
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** An authority that issues server certificates for one installation: its own certificate and key. */
export type CertificateAuthority = TlsIdentity;

/**
 * A fresh authority: ECDSA P-256, which ordinary TLS clients and inspecting proxies accept, ten years, no sub-authority.
 * The key comes from the operating system's generator; `rng` draws the serial number and the name's suffix.
 */
export async function createCertificateAuthority(options: { clock: Clock; rng: Rng }): Promise<CertificateAuthority> {
  const x509 = await x509Library();
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(options.rng),
    name: `CN=Ringfence CA ${Buffer.from(options.rng.bytes(8)).toString('hex')}`,
    notBefore: toDate(options.clock.now() - DAY_MS),
    notAfter: toDate(options.clock.now() + 3650 * DAY_MS),
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, privateKeyPem: await pemOf(keys.privateKey) };
}

/**
 * A server certificate of `authority` for DNS names and IP addresses, ECDSA P-256, valid for `lifetime` (397 days unless
 * told). `certificatePem` is the chain: leaf, then authority. Throws CryptoError `bad-certificate` without hosts, or
 * when the authority cannot be read.
 */
export async function issueServerCertificate(
  authority: CertificateAuthority,
  options: { hosts: readonly string[]; clock: Clock; rng: Rng; lifetime?: DurationMs },
): Promise<TlsIdentity> {
  const [first] = options.hosts;
  if (first === undefined) throw new CryptoError('bad-certificate', 'a server certificate needs at least one host');
  const x509 = await x509Library();
  const issuer = await readAuthority(authority);
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(options.rng),
    subject: [{ CN: [first] }],
    issuer: issuer.subject,
    notBefore: toDate(options.clock.now() - DAY_MS),
    notAfter: toDate(options.clock.now() + (options.lifetime ?? 397 * DAY_MS)),
    signingAlgorithm: SIGNING,
    publicKey: keys.publicKey,
    signingKey: issuer.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternativeNames(options.hosts)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString('pem')}\n${authority.certificatePem}`,
    privateKeyPem: await pemOf(keys.privateKey),
  };
}

/** An authority's name and keys, to issue with. Throws CryptoError `bad-certificate`. */
export async function readAuthority(
  authority: CertificateAuthority,
): Promise<{ subject: string; publicKey: webcrypto.CryptoKey; privateKey: webcrypto.CryptoKey }> {
  const { X509Certificate } = await x509Library();
  try {
    const certificate = new X509Certificate(authority.certificatePem);
    const pkcs8 = createPrivateKey(Buffer.from(authority.privateKeyPem.expose())).export({
      format: 'der',
      type: 'pkcs8',
    });
    return {
      subject: certificate.subject,
      publicKey: await certificate.publicKey.export(P256, ['verify']),
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, P256, false, ['sign']),
    };
  } catch (cause) {
    throw new CryptoError('bad-certificate', 'the certificate authority cannot be read', { cause });
  }
}

async function pemOf(key: webcrypto.CryptoKey): Promise<Secret> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
  return new Secret(utf8(pem.toString()));
}
