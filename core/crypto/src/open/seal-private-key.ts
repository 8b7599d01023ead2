import { createHash, type KeyObject } from 'node:crypto';
import { concatBytes, Secret, toBase64Url, type Rng } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { ML_KEM_SEED_BYTES, mlKemPrivateKey, rawPublicKey, X25519_BYTES, x25519PrivateKey } from '../key-agreement.ts';
import { X_WING_BYTES, type SealPublicKey } from '../x-wing/x-wing.ts';

/** Opens what was sealed to its public key: an X-Wing decapsulation key, kept as its 32-byte seed. */
export class SealPrivateKey {
  readonly publicKey: SealPublicKey;
  readonly #seed: Secret;
  readonly #mlKem: KeyObject;
  readonly #x25519: KeyObject;
  readonly #x25519Public: Uint8Array;

  private constructor(seed: Secret) {
    if (seed.length !== X_WING_BYTES.seed) throw new CryptoError('bad-key', 'a sealing seed has 32 bytes');
    this.#seed = seed;
    // draft-connolly-cfrg-xwing-kem §5.2, expandDecapsulationKey
    const length = ML_KEM_SEED_BYTES + X25519_BYTES;
    const expanded = createHash('shake256', { outputLength: length }).update(seed.expose()).digest();
    this.#mlKem = mlKemPrivateKey(expanded.subarray(0, ML_KEM_SEED_BYTES));
    this.#x25519 = x25519PrivateKey(expanded.subarray(ML_KEM_SEED_BYTES));
    expanded.fill(0);
    this.#x25519Public = rawPublicKey(this.#x25519);
    this.publicKey = toBase64Url(concatBytes(rawPublicKey(this.#mlKem), this.#x25519Public)) as SealPublicKey;
  }

  /** A fresh key. */
  static generate(rng: Rng): SealPrivateKey {
    return new SealPrivateKey(new Secret(rng.bytes(X_WING_BYTES.seed)));
  }

  /** The key of a stored 32-byte seed, which it copies; throws CryptoError `bad-key` for another length. */
  static fromSeed(seed: Secret): SealPrivateKey {
    return new SealPrivateKey(new Secret(Uint8Array.from(seed.expose())));
  }

  /** The 32-byte seed, for storage at rest; a copy that the caller may wipe. */
  seed(): Secret {
    return new Secret(Uint8Array.from(this.#seed.expose()));
  }

  /** Both halves, for decapsulation; not exported from the package. */
  get halves(): { readonly mlKem: KeyObject; readonly x25519: KeyObject; readonly x25519Public: Uint8Array } {
    return { mlKem: this.#mlKem, x25519: this.#x25519, x25519Public: this.#x25519Public };
  }
}
