import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from 'node:crypto';
import { concatBytes } from '@ringfence/base';
import type { AEAD, KDF } from 'hpke';

const HASH_BYTES = 32;
const TAG_BYTES = 16;

/**
 * HKDF-SHA256 (RFC 5869) as HPKE's KDF 0x0001, on node:crypto. The library's own asks Web Cryptography, which hands each of the six short
 * hashes of a message to a thread of the pool: most of the time of a sealing.
 */
export function hkdfSha256(): KDF {
  return {
    id: 0x0001,
    type: 'KDF',
    name: 'HKDF-SHA256',
    Nh: HASH_BYTES,
    stages: 2,
    Extract: async (salt, ikm) => hmac(salt, ikm),
    Expand: async (prk, info, length) => expand(prk, info, length),
    Derive: () => Promise.reject(new TypeError('HKDF has two stages')),
  };
}

/** The key goes in as an object: as bytes it costs five times as long (docs/benchmarks.md, `seal-hpke`). */
function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const made = createHmac('sha256', createSecretKey(key));
  for (const part of parts) made.update(part);
  return made.digest();
}

/** RFC 5869 §2.3. */
function expand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  let last: Uint8Array = new Uint8Array();
  for (let count = 1; blocks.length * HASH_BYTES < length; count += 1) {
    last = hmac(prk, last, info, Uint8Array.of(count));
    blocks.push(last);
  }
  return concatBytes(...blocks).subarray(0, length);
}

/** AES-256-GCM as HPKE's AEAD 0x0002, on node:crypto; `Open` throws whatever is wrong with the bytes. */
export function aes256Gcm(): AEAD {
  return {
    id: 0x0002,
    type: 'AEAD',
    name: 'AES-256-GCM',
    Nk: 32,
    Nn: 12,
    Nt: TAG_BYTES,
    Seal: async (key, nonce, aad, plaintext) => {
      const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce).setAAD(aad);
      const ciphertext = cipher.update(plaintext);
      cipher.final();
      return concatBytes(ciphertext, cipher.getAuthTag());
    },
    Open: async (key, nonce, aad, sealed) => {
      const end = sealed.length - TAG_BYTES;
      if (end < 0) throw new RangeError('shorter than a tag');
      const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, {
        authTagLength: TAG_BYTES,
      }).setAAD(aad);
      const plaintext = decipher.update(sealed.subarray(0, end));
      decipher.setAuthTag(sealed.subarray(end)).final();
      return plaintext;
    },
  };
}
