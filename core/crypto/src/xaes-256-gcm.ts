import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes, type Rng, type Secret } from '@ringfence/base';
import { cannotOpen, CryptoError } from './crypto-error.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;

/**
 * XAES-256-GCM (C2SP): AES-256-GCM under a key derived from the first half of a 192-bit nonce, so that random nonces
 * stay safe for 2^80 messages. Returns nonce ‖ ciphertext ‖ tag. Throws CryptoError `bad-key` unless the key has 32 bytes.
 */
export function xaesSeal(key: Secret, rng: Rng, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const nonce = rng.bytes(NONCE_BYTES);
  const derived = deriveKey(key, nonce);
  const cipher = createCipheriv('aes-256-gcm', derived, nonce.subarray(12)).setAAD(aad);
  derived.fill(0);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return concatBytes(nonce, ciphertext, cipher.getAuthTag());
}

/** Opens what {@link xaesSeal} made; throws CryptoError `cannot-open` whatever is wrong with the bytes. */
export function xaesOpen(key: Secret, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - TAG_BYTES;
  if (end < NONCE_BYTES) throw cannotOpen();
  const derived = deriveKey(key, sealed);
  const decipher = createDecipheriv('aes-256-gcm', derived, sealed.subarray(12, NONCE_BYTES)).setAAD(aad);
  derived.fill(0);
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    decipher.setAuthTag(sealed.subarray(end)).final();
  } catch {
    plaintext.fill(0);
    throw cannotOpen();
  }
  return plaintext;
}

/** CMAC of two fixed-prefix blocks with the nonce's first half (XAES-256-GCM specification, steps 1 to 6). */
function deriveKey(key: Secret, nonce: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES) throw new CryptoError('bad-key', 'an XAES-256-GCM key has 32 bytes');
  const aes = createCipheriv('aes-256-ecb', key.expose(), null).setAutoPadding(false);
  const subkey = doubled(aes.update(Buffer.alloc(BLOCK_BYTES)));
  const blocks = Buffer.alloc(2 * BLOCK_BYTES);
  for (const [index, offset] of [0, BLOCK_BYTES].entries()) {
    blocks.set([0, index + 1, 0x58, 0], offset);
    blocks.set(nonce.subarray(0, 12), offset + 4);
    for (let at = 0; at < BLOCK_BYTES; at += 1) blocks[offset + at] = (blocks[offset + at] ?? 0) ^ (subkey[at] ?? 0);
  }
  return aes.update(blocks);
}

/** CMAC's subkey K1: the block times x in GF(2^128) (NIST SP 800-38B §6.1), without a branch on secret bits. */
function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at += 1) result[at] = ((block[at] ?? 0) << 1) | ((block[at + 1] ?? 0) >> 7);
  result[BLOCK_BYTES - 1] = (result[BLOCK_BYTES - 1] ?? 0) ^ (0x87 & -((block[0] ?? 0) >> 7));
  return result;
}
