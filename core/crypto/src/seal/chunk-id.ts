import { createHmac } from 'node:crypto';
import { Secret, type Rng } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import type { Digest } from '../digest.ts';

/** The key under which an organisation recognises equal chunks; without it an id says nothing about its content. */
export class DedupeKey {
  readonly #secret: Secret;

  private constructor(secret: Secret) {
    if (secret.length !== 32) throw new CryptoError('bad-key', 'a dedupe key has 32 bytes');
    this.#secret = secret;
  }

  /** A fresh key. */
  static generate(rng: Rng): DedupeKey {
    return new DedupeKey(new Secret(rng.bytes(32)));
  }

  /** The key of 32 stored bytes, of which it takes ownership; throws CryptoError `bad-key` for another length. */
  static fromBytes(bytes: Uint8Array): DedupeKey {
    return new DedupeKey(new Secret(bytes));
  }

  /** The bytes themselves, for a message that is sealed in turn; the caller keeps no copy beyond its scope. */
  expose(): Uint8Array {
    return this.#secret.expose();
  }

  toJSON(): string {
    return '[secret]';
  }
}

/** Names a chunk by its content: HMAC-SHA-256 (RFC 2104) of `plaintext` in lower-case hexadecimal. */
export function chunkId(key: DedupeKey, plaintext: Uint8Array): Digest {
  return createHmac('sha256', key.expose()).update(plaintext).digest('hex') as Digest;
}
