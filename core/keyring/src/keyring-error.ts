import { RingfenceError } from '@ringfence/base';

/** Why a statement, a keyring or a code was refused. */
export type KeyringErrorCode =
  /** A second genesis, or a keyring that does not begin with one. */
  | 'after-genesis'
  /** Older than the statement before it. */
  | 'back-dated'
  /** A join, claim or registration code that does not read. */
  | 'bad-code'
  /** Not a key: a point of small order, or not canonically spelt. */
  | 'bad-key'
  /** Recovery keys that could never, or too easily, act together. */
  | 'bad-recovery'
  /** A printed recovery key that does not read. */
  | 'bad-recovery-key'
  | 'bad-signature'
  /** Does not follow the statement before it. */
  | 'broken-chain'
  /** An id or a key that is in use. */
  | 'duplicate'
  | 'expired-delegation'
  /** Takes the last role away that may change the keyring. */
  | 'last-owner'
  /** Not a statement of the expected kind. */
  | 'malformed'
  /** A machine away from home that nobody admitted, or that is another than was admitted. */
  | 'not-admitted'
  /** Signed by a member who may not say this. */
  | 'not-authorised'
  /** Copies of two different contracts. */
  | 'other-contract'
  /** An id or a key that was removed once; it never comes back. */
  | 'removed'
  /** Dated ahead of the clock. */
  | 'post-dated'
  /** About somebody whom the keyring does not know. */
  | 'unknown-subject'
  | 'wrong-org'
  /** The chain never had the root that was pinned. */
  | 'wrong-root';

/** The one error class of this package; messages carry nothing that a peer chose. */
export class KeyringError extends RingfenceError<KeyringErrorCode> {}
