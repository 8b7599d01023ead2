import { createPublicKey, type KeyObject } from 'node:crypto';
import { Secret } from '@ringfence/base';
import { derivedEd25519Key } from '../derived-ed25519-key.ts';
import type { SigningKey } from '../sign/signing-key.ts';

/** The Ed25519 key by which a custodian vouches for keys of its organisation for a while: it signs X.509 certificates, and nothing else. */
export class CertifyingKey {
  /** Checks what it signed. */
  readonly publicKey: KeyObject;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = createPublicKey(key);
  }

  /**
   * The certifying key of a custodian's signing key (HKDF-SHA-256, RFC 5869, over its seed): whoever keeps the one keeps the other, so a standby
   * and a backup need nothing more, and no key that signs statements ever signs a structure that somebody else lays out.
   */
  static derive(from: SigningKey): CertifyingKey {
    return new CertifyingKey(derivedEd25519Key(from, 'ringfence/certifying-key/v1'));
  }

  /** PKCS #8 in DER, as WebCrypto takes it. */
  pkcs8(): Secret {
    return new Secret(this.#key.export({ format: 'der', type: 'pkcs8' }));
  }

  toJSON(): string {
    return '[secret]';
  }
}
