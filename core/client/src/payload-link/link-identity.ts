import type { Clock, Rng } from '@ringfence/base';
import { selfSignedCertificate, tlsPublicKeyOf, type TlsIdentity, type TlsKey } from '@ringfence/crypto/certificate';
import { X509Certificate } from 'node:crypto';
import { ClientError } from '../error.ts';

/** Who this side is on payload links: its TLS key and a self-signed certificate that carries it. */
export interface LinkIdentity {
  readonly key: TlsKey;
  readonly tls: TlsIdentity;
}

/** A fresh certificate for `key`. It can be kept and given to {@link storedLinkIdentity}, which loads less code. */
export async function createLinkIdentity(options: { key: TlsKey; clock: Clock; rng: Rng }): Promise<LinkIdentity> {
  return { key: options.key, tls: await selfSignedCertificate(options) };
}

/** The identity of a stored certificate (PEM) and its key; throws ClientError `bad-identity` when they do not fit. */
export function storedLinkIdentity(key: TlsKey, certificatePem: string): LinkIdentity {
  if (keyIn(certificatePem) !== key.publicKey)
    throw new ClientError('bad-identity', 'the stored certificate is not one of the TLS key', {
      next: 'restore the folder from a backup, or delete the certificate so that a new one is made',
    });
  return { key, tls: { certificatePem, privateKeyPem: key.privateKeyPem() } };
}

function keyIn(certificatePem: string): string | undefined {
  try {
    return tlsPublicKeyOf(new X509Certificate(certificatePem).raw);
  } catch {
    return undefined;
  }
}
