import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { concatBytes, fromHex, toBase64Url, type Secret } from '@ringfence/base';
import { CryptoError } from './crypto-error.ts';

// DER of RFC 8410 §7 and §4 up to the 32 bytes of the key: the shape is fixed, so no encoder is needed.
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420');
const SPKI_PREFIX = fromHex('302a300506032b6570032100');
const KEY_BYTES = 32;

/** The private key of a 32-byte Ed25519 seed (RFC 8032 §5.1.5); throws CryptoError `bad-key` for another length. */
export function ed25519PrivateKey(seed: Secret): KeyObject {
  if (seed.length !== KEY_BYTES) throw new CryptoError('bad-key', 'an Ed25519 seed has 32 bytes');
  const der = concatBytes(PKCS8_PREFIX, seed.expose());
  try {
    return createPrivateKey({ key: Buffer.from(der.buffer, der.byteOffset, der.length), format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

/** The public key object of 32 raw bytes. */
export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

/** The 32 raw bytes, in base64url, of an Ed25519 public key object; undefined for any other kind of key. */
export function ed25519Raw(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'ed25519') return undefined;
  const der = key.export({ format: 'der', type: 'spki' });
  return toBase64Url(der.subarray(SPKI_PREFIX.length));
}
