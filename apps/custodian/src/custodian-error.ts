import { RingfenceError } from '@ringfence/base';

/** Why a provider of key-encryption keys did not do what it was asked. */
export type KekErrorCode =
  /** It cannot be reached, or fails. */
  | 'kek-unavailable'
  /** It refuses: credentials, its own policy, or a thing that it does not do. */
  | 'kek-denied'
  /** The key or version is destroyed, or is to be. */
  | 'kek-destroyed'
  /** What came back, or was given, is not what was wrapped. */
  | 'kek-tampered'
  /** It did not answer within its time budget. */
  | 'kek-slow';

/** Why the custodian refuses a request or cannot start. */
export type CustodianErrorCode =
  | KekErrorCode
  /** A flag or an environment variable cannot be used. */
  | 'bad-config'
  /** The key file, its seal or the passphrase does not open. */
  | 'bad-keys'
  /** A backup archive cannot be read, or not be put here. */
  | 'bad-backup'
  /** The request is not of the declared form. */
  | 'bad-request'
  /** The peer is no member that may use this route. */
  | 'not-authenticated'
  /** The agent has had certificates, and shows none that holds: this is answered to anything but the request for the next one. */
  | 'certificate-lapsed'
  /** It asks for a surer sign of who asks. */
  | 'step-up'
  /** A lock cuts the caller off. */
  | 'locked'
  /** It takes two people, or one who waits: a proposal stands. */
  | 'proposed'
  /** The policy does not allow it. */
  | 'not-authorised'
  /** It is made of confidential or restricted data, and its owner has not released it to whoever asks. */
  | 'not-released'
  /** It does not exist. */
  | 'not-found'
  /** The same id or name stands for something else. */
  | 'conflict'
  /** A statement does not verify or does not fit the others. */
  | 'bad-statement'
  /** A code is unknown, spent or expired, or its proof is wrong. */
  | 'bad-code'
  /** The custodian has an organisation already. */
  | 'claimed'
  /** The custodian has no organisation yet. */
  | 'unclaimed'
  /** The control plane did not take the organisation. */
  | 'not-registered'
  /** No label can be given: residencies contradict, or the purpose is not allowed. */
  | 'no-label'
  /** A new version's label would be looser than the one before, and nobody said that this is meant. */
  | 'label-lowered'
  /** Objects that a pack names are not stored here. */
  | 'missing-objects'
  /** The data keys that would open it are destroyed. */
  | 'shredded'
  /** Less disk is free than the reserve. */
  | 'disk-full'
  /** Before its time: wrong tries came before. */
  | 'too-soon'
  /** Too large or too many. */
  | 'too-much'
  /** The database does not answer. */
  | 'unavailable';

/** The one error class of this app. */
export class CustodianError extends RingfenceError<CustodianErrorCode> {}

/** HTTP status of each code. */
export const STATUS_OF: Readonly<Record<CustodianErrorCode, number>> = {
  'bad-config': 500,
  'bad-keys': 500,
  'bad-backup': 500,
  'bad-request': 400,
  'not-authenticated': 401,
  'certificate-lapsed': 401,
  'step-up': 401,
  locked: 403,
  proposed: 202,
  'not-authorised': 403,
  'not-released': 403,
  'not-found': 404,
  conflict: 409,
  'bad-statement': 422,
  'bad-code': 403,
  claimed: 409,
  unclaimed: 409,
  'not-registered': 502,
  'no-label': 422,
  'label-lowered': 409,
  'missing-objects': 409,
  shredded: 410,
  'disk-full': 507,
  'too-soon': 429,
  'too-much': 413,
  unavailable: 503,
  'kek-unavailable': 503,
  'kek-denied': 503,
  'kek-destroyed': 410,
  'kek-tampered': 500,
  'kek-slow': 503,
};
