import { Secret, type Rng } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';

/** Seals rows and files that one process keeps for itself; it never opens payload. 32 random bytes. */
export class RecordKey {
  readonly #secret: Secret;

  private constructor(secret: Secret) {
    if (secret.length !== 32) throw new CryptoError('bad-key', 'a record key has 32 bytes');
    this.#secret = secret;
  }

  /** A fresh key. */
  static generate(rng: Rng): RecordKey {
    return new RecordKey(new Secret(rng.bytes(32)));
  }

  /** The key of 32 stored bytes, of which it takes ownership; throws CryptoError `bad-key` for another length. */
  static fromBytes(bytes: Uint8Array): RecordKey {
    return new RecordKey(new Secret(bytes));
  }

  /** The key itself, for a key file or the sealing algorithm. */
  get secret(): Secret {
    return this.#secret;
  }

  toJSON(): string {
    return '[secret]';
  }
}
