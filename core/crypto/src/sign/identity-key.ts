import { createPublicKey, type KeyObject } from 'node:crypto';
import { derivedEd25519Key } from '../derived-ed25519-key.ts';
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
    return new IdentityKey(derivedEd25519Key(from, 'ringfence/job-identity-key/v1'));
  }

  /** The private key for a library that signs; it is not to be exported. */
  privateKey(): KeyObject {
    return this.#key;
  }

  toJSON(): string {
    return '[secret]';
  }
}
