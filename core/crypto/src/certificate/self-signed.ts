import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto';
import type { Clock, Rng, Secret } from '@ringfence/base';
import type { TlsKey } from './tls-key.ts';
import { alternativeNames, serialNumber, toDate, x509Library } from './x509-library.ts';

const DAY_MS = 86_400_000;
/** RFC 5280 §4.1.2.5: a certificate without a well-defined end says 99991231235959Z. */
const NO_EXPIRY_MS = 253_402_300_799_000;

/** A certificate and its private key in PEM, as node:tls takes them. */
export interface TlsIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: Secret;
}

/**
 * A self-signed Ed25519 certificate (RFC 8410) for `key`. It says nothing but the key and does not expire: whom the key
 * belongs to and until when is the keyring's to say. Valid from a day before `clock`, since peers' clocks differ.
 */
export async function selfSignedCertificate(options: {
  key: TlsKey;
  clock: Clock;
  rng: Rng;
  hosts?: readonly string[];
}): Promise<TlsIdentity> {
  const { X509CertificateGenerator, SubjectAlternativeNameExtension } = await x509Library();
  const privateKeyPem = options.key.privateKeyPem();
  const hosts = options.hosts ?? [];
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(options.rng),
    name: `CN=${options.key.publicKey}`,
    notBefore: toDate(options.clock.now() - DAY_MS),
    notAfter: toDate(NO_EXPIRY_MS),
    signingAlgorithm: { name: 'Ed25519' },
    keys: await webCryptoPair(privateKeyPem),
    extensions: hosts.length === 0 ? [] : [new SubjectAlternativeNameExtension(alternativeNames(hosts))],
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, privateKeyPem };
}

async function webCryptoPair(pem: Secret): Promise<webcrypto.CryptoKeyPair> {
  const privateKey = createPrivateKey(Buffer.from(pem.expose()));
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, 'Ed25519', true, ['verify']),
  };
}
