import { createCipheriv, createHash, randomBytes } from 'node:crypto';

/** The only source of chance; injected everywhere. */
export interface Rng {
  /** `length` uniformly random bytes. */
  bytes(length: number): Uint8Array;
}

/** The operating system's generator. */
export const systemRng: Rng = { bytes: (length) => randomBytes(length) };

/** A reproducible generator for tests and simulations (AES-256-CTR keyed by the hash of `seed`); never for keys. */
export function seededRng(seed: string): Rng {
  const key = createHash('sha256').update(seed).digest();
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return { bytes: (length) => stream.update(Buffer.alloc(length)) };
}

/** A uniformly random integer in [0, bound); throws `RangeError` unless `bound` is an integer from 1 to 2^32. */
export function randomBelow(rng: Rng, bound: number): number {
  if (!Number.isSafeInteger(bound) || bound < 1 || bound > 0x1_0000_0000) throw new RangeError('no such bound');
  const limit = Math.floor(0x1_0000_0000 / bound) * bound;
  for (;;) {
    const value = Buffer.from(rng.bytes(4)).readUInt32BE();
    if (value < limit) return value % bound;
  }
}
