import { createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { Secret } from '@ringfence/base';
import { ed25519PrivateKey } from '../ed25519-key-object.ts';
import type { SigningKey } from './signing-key.ts';

/** The Ed25519 key by which a custodian says which job one is: it signs JSON Web Tokens (RFC 8037), and nothing else. */
export class IdentityKey {
  /** Checks what it signed. */
  readonly publicKey: KeyObject;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = createPublicKey(key);
  }

  /**
   * The identity key of a custodian's signing key (HKDF-SHA-256, RFC 5869, over its seed): whoever keeps the one keeps the other, so a standby and
   * a backup need nothing more, and no key that signs statements ever signs a token.
   */
  static derive(from: SigningKey): IdentityKey {
    const seed = from.seed();
    const derived = new Secret(
      new Uint8Array(hkdfSync('sha256', seed.expose(), '', 'ringfence/job-identity-key/v1', 32)),
    );
    seed[Symbol.dispose]();
    const key = new IdentityKey(ed25519PrivateKey(derived));
    derived[Symbol.dispose]();
    return key;
  }

  /** The private key for a library that signs; it is not to be exported. */
  privateKey(): KeyObject {
    return this.#key;
  }

  toJSON(): string {
    return '[secret]';
  }
}
