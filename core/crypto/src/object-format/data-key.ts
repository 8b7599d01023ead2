import { Secret, type Rng } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';

const KEY_BYTES = 32;

/** The key (DEK) under which one object is sealed: 32 random bytes. */
export class DataKey {
  readonly #secret: Secret;

  private constructor(secret: Secret) {
    if (secret.length !== KEY_BYTES) throw new CryptoError('bad-key', 'a data key has 32 bytes');
    this.#secret = secret;
  }

  /** A fresh key. */
  static generate(rng: Rng): DataKey {
    return new DataKey(new Secret(rng.bytes(KEY_BYTES)));
  }

  /** The key of 32 stored bytes, of which it takes ownership; throws CryptoError `bad-key` for another length. */
  static fromBytes(bytes: Uint8Array): DataKey {
    return new DataKey(new Secret(bytes));
  }

  /** The bytes themselves, for a message that is sealed in turn; the caller keeps no copy beyond its scope. */
  expose(): Uint8Array {
    return this.#secret.expose();
  }

  toJSON(): string {
    return '[secret]';
  }
}
