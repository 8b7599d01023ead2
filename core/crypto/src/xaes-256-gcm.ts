import { createCipheriv, createDecipheriv, createSecretKey, type Cipheriv, type KeyObject } from 'node:crypto';
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
export function xaesSeal(key: Secret | XaesKey, rng: Rng, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const nonce = rng.bytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyOf(key).derive(nonce), nonce.subarray(12)).setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return concatBytes(nonce, ciphertext, cipher.getAuthTag());
}

/** Opens what {@link xaesSeal} made; throws CryptoError `cannot-open` whatever is wrong with the bytes. */
export function xaesOpen(key: Secret | XaesKey, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - TAG_BYTES;
  if (end < NONCE_BYTES) throw cannotOpen();
  const derived = keyOf(key).derive(sealed);
  const decipher = createDecipheriv('aes-256-gcm', derived, sealed.subarray(12, NONCE_BYTES)).setAAD(aad);
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    decipher.setAuthTag(sealed.subarray(end)).final();
  } catch {
    plaintext.fill(0);
    throw cannotOpen();
  }
  return plaintext;
}

/** A key with what all its messages share: its AES, and CMAC's subkey. */
export class XaesKey {
  readonly #key: Secret;
  readonly #aes: Cipheriv;
  readonly #subkey: Uint8Array;

  /** Throws CryptoError `bad-key` unless the key has 32 bytes. */
  constructor(key: Secret) {
    if (key.length !== KEY_BYTES) throw new CryptoError('bad-key', 'an XAES-256-GCM key has 32 bytes');
    this.#key = key;
    // Without chaining, what was encrypted before leaves nothing behind.
    this.#aes = createCipheriv('aes-256-ecb', createSecretKey(key.expose()), null).setAutoPadding(false);
    this.#subkey = doubled(this.#aes.update(Buffer.alloc(BLOCK_BYTES)));
  }

  /**
   * The key of one message: CMAC of two fixed-prefix blocks with the nonce's first half (XAES-256-GCM specification, steps 1 to 6). It goes into
   * the cipher as an object: as bytes it costs five times as long (docs/benchmarks.md, `envelope`). Throws CryptoError `cannot-open` once the key is destroyed.
   */
  derive(nonce: Uint8Array): KeyObject {
    // The cipher has a copy of a key that was destroyed since.
    if (this.#key.wiped) throw cannotOpen();
    const blocks = Buffer.alloc(2 * BLOCK_BYTES);
    for (const [index, offset] of [0, BLOCK_BYTES].entries()) {
      blocks.set([0, index + 1, 0x58, 0], offset);
      blocks.set(nonce.subarray(0, 12), offset + 4);
      for (let at = 0; at < BLOCK_BYTES; at += 1)
        blocks[offset + at] = (blocks[offset + at] ?? 0) ^ (this.#subkey[at] ?? 0);
    }
    const derived = this.#aes.update(blocks);
    const object = createSecretKey(derived);
    derived.fill(0);
    return object;
  }

  toJSON(): string {
    return '[secret]';
  }
}

function keyOf(key: Secret | XaesKey): XaesKey {
  return key instanceof XaesKey ? key : new XaesKey(key);
}

/** CMAC's subkey K1: the block times x in GF(2^128) (NIST SP 800-38B §6.1), without a branch on secret bits. */
function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at += 1) result[at] = ((block[at] ?? 0) << 1) | ((block[at + 1] ?? 0) >> 7);
  result[BLOCK_BYTES - 1] = (result[BLOCK_BYTES - 1] ?? 0) ^ (0x87 & -((block[0] ?? 0) >> 7));
  return result;
}
