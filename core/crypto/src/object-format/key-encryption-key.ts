import { canonicalBytes, type Secret } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { XaesKey } from '../xaes-256-gcm.ts';
import type { ObjectIdentity } from './object-identity.ts';

/** A key (KEK) that wraps data keys; `id` and `version` say which one to ask for when unwrapping. */
export class KeyEncryptionKey {
  readonly id: string;
  readonly version: number;
  readonly #secret: Secret;
  readonly #cipher: XaesKey;

  /** Takes ownership of `secret`; throws CryptoError `bad-key` unless it has 32 bytes and the version is a positive integer. */
  constructor(id: string, version: number, secret: Secret) {
    if (secret.length !== 32 || id === '' || !Number.isSafeInteger(version) || version < 1)
      throw new CryptoError('bad-key', 'a key-encryption key has an id, a positive version and 32 bytes');
    this.id = id;
    this.version = version;
    this.#secret = secret;
    this.#cipher = new XaesKey(secret);
  }

  /** The key as the wrapping algorithm takes it; not exported from the package. */
  get cipher(): XaesKey {
    return this.#cipher;
  }

  /** The key itself, to be wrapped in turn or wiped. */
  get secret(): Secret {
    return this.#secret;
  }

  toJSON(): { id: string; version: number } {
    return { id: this.id, version: this.version };
  }
}

/** A data key as it is stored: which KEK opens it, and base64url of the XAES-256-GCM box (72 bytes). */
export interface WrappedKey {
  readonly kek: string;
  readonly version: number;
  readonly box: string;
}

/** What a wrapped key is bound to: the object that it opens, and the KEK under which it lies. */
export function wrapAad(kek: KeyEncryptionKey, { org, project, object, version }: ObjectIdentity): Uint8Array {
  return canonicalBytes({ kek: kek.id, kekVersion: kek.version, object, org, project, version });
}
