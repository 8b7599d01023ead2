import { Secret, type Rng } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { XaesKey } from '../xaes-256-gcm.ts';

/** Seals rows and files that one process keeps for itself; it never opens payload. 32 random bytes. */
export class RecordKey {
  readonly #secret: Secret;
  readonly #cipher: XaesKey;

  private constructor(secret: Secret) {
    if (secret.length !== 32) throw new CryptoError('bad-key', 'a record key has 32 bytes');
    this.#secret = secret;
    this.#cipher = new XaesKey(secret);
  }

  /** A fresh key. */
  static generate(rng: Rng): RecordKey {
    return new RecordKey(new Secret(rng.bytes(32)));
  }

  /** The key of 32 stored bytes, of which it takes ownership; throws CryptoError `bad-key` for another length. */
  static fromBytes(bytes: Uint8Array): RecordKey {
    return new RecordKey(new Secret(bytes));
  }

  /** The key as the sealing algorithm takes it; not exported from the package. */
  get cipher(): XaesKey {
    return this.#cipher;
  }

  /** The key itself, for a key file. */
  get secret(): Secret {
    return this.#secret;
  }

  toJSON(): string {
    return '[secret]';
  }
}
