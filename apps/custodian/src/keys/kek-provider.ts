import { canonicalBytes, type Secret } from '@ringfence/base';
import type { ObjectIdentity } from '@ringfence/crypto/seal';
import { CustodianError, type KekErrorCode } from '../custodian-error.ts';

/** Who can hold an organisation's key-encryption key. */
export const KEK_PROVIDER_KINDS = ['built-in', 'pkcs11', 'transit', 'aws-kms', 'gcp-kms', 'gateway'] as const;

/** One of {@link KEK_PROVIDER_KINDS}; `gateway` is the customer's own key gateway, from which the key never comes here. */
export type KekProviderKind = (typeof KEK_PROVIDER_KINDS)[number];

/** What a wrapped key is bound to: it unwraps for these four values alone. For a project's KEK, `object` is its id. */
export type KekAad = ObjectIdentity;

/** A wrapped key, and the version of the organisation's KEK that unwraps it, as its provider names versions (1 to 128 characters). */
export interface WrappedKek {
  readonly keyVersion: string;
  readonly wrapped: Uint8Array;
}

/** When a destroyed version is gone: services have waiting times, and some leave it to their owner. */
export type Destruction =
  | { readonly state: 'destroyed' }
  /** `at` in milliseconds since 1970. */
  | { readonly state: 'scheduled'; readonly at: number }
  /** This provider destroys nothing when it is asked by the custodian: the owner does it there. */
  | { readonly state: 'left-to-owner' };

/** Whether a provider would wrap and unwrap now. */
export type KekHealth =
  | { readonly usable: true; readonly keyVersion: string }
  | { readonly usable: false; readonly code: KekErrorCode };

/**
 * Holds an organisation's key-encryption key (KEK), which wraps the KEKs of its projects. Every method throws {@link kekError} and nothing
 * else. A call that failed changed nothing here; it may be repeated.
 */
export interface KekProvider {
  readonly kind: KekProviderKind;
  /** Milliseconds for which the custodian may keep what it unwrapped; 0: not at all. `Infinity` where the KEK itself is here. */
  readonly keepFor: number;
  /** Wraps 32 bytes under the current version. The caller keeps `plaintext`. */
  wrap(plaintext: Secret, aad: KekAad): Promise<WrappedKek>;
  /** The 32 bytes; `tampered` when box, version or `aad` are not those of the wrapping. */
  unwrap(wrapped: WrappedKek, aad: KekAad): Promise<Secret>;
  /** Makes a new version current and names it. Older ones still unwrap. One that cannot be rotated from here throws `denied`. */
  rotate(): Promise<{ readonly keyVersion: string }>;
  /** Destroys one version. Of one that is destroyed already: says so again. */
  destroy(keyVersion: string): Promise<Destruction>;
  /** Never throws. */
  health(): Promise<KekHealth>;
  /** Ends connections and threads. */
  close(): Promise<void>;
}

/** The providers that this custodian has, by the names that its operator gave them; `built-in` is always there. */
export type KekProviders = ReadonlyMap<string, KekProvider>;

const WORDS: Readonly<Record<KekErrorCode, { readonly message: string; readonly next: string }>> = {
  'kek-unavailable': {
    message: 'the provider of the organisation’s key cannot be reached or fails',
    next: 'see `ringfence key status`, bring it back, then try again',
  },
  'kek-denied': {
    message: 'the provider of the organisation’s key refuses',
    next: 'see `ringfence key status`, and what the provider lets this custodian do',
  },
  'kek-destroyed': {
    message: 'the key that would open it is destroyed',
    next: 'what lies under it cannot be read any more',
  },
  'kek-tampered': {
    message: 'a wrapped key is not what was wrapped, or not for this place',
    next: 'restore the custodian from a backup, and find out who changed it',
  },
  'kek-slow': {
    message: 'the provider of the organisation’s key did not answer in time',
    next: 'see `ringfence key status`, then try again',
  },
};

/** The error of a provider; its message is fixed by the code, so that nothing a provider said is in it. */
export function kekError(code: KekErrorCode, cause?: unknown): CustodianError {
  const { message, next } = WORDS[code];
  return new CustodianError(code, message, { cause, next });
}

/** `aad` as the bytes that are authenticated: canonical JSON of the four fields. */
export function kekAadBytes({ org, project, object, version }: KekAad): Uint8Array {
  return canonicalBytes({ object, org, project, version });
}
