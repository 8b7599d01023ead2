import { createHash, hash } from 'node:crypto';
import type { Brand } from '@ringfence/base';

/** A SHA-256 digest as 64 lower-case hexadecimal digits. */
export type Digest = Brand<string, 'Digest'>;

/** SHA-256 of `bytes` (FIPS 180-4). */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256 of `bytes` in lower-case hexadecimal. */
export function sha256Hex(bytes: Uint8Array): Digest {
  return hash('sha256', bytes, 'hex') as Digest;
}

/** The digest that `text` spells, or undefined when it is not 64 lower-case hexadecimal digits. */
export function parseDigest(text: string): Digest | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as Digest) : undefined;
}

/** SHA-256 of bytes that arrive piece by piece. */
export class Sha256 {
  readonly #hash = createHash('sha256');

  /** Takes the next bytes. */
  update(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  /** The digest of all bytes taken; call once. */
  hex(): Digest {
    return this.#hash.digest('hex') as Digest;
  }
}
