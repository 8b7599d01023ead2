import { X509Certificate } from 'node:crypto';
import { CryptoError } from '../crypto-error.ts';
import { sha256Hex, type Digest } from '../digest.ts';

/** SHA-256 of a certificate's DER, by which a join code pins an authority; throws CryptoError `bad-certificate`. */
export function certificateFingerprint(certificate: Uint8Array | string): Digest {
  try {
    return sha256Hex(new X509Certificate(certificate).raw);
  } catch (cause) {
    throw new CryptoError('bad-certificate', 'the certificate cannot be read', { cause });
  }
}
