import { RingfenceError } from '@ringfence/base';

/** Why the custodian refuses a request or cannot start. */
export type CustodianErrorCode =
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
  /** The policy does not allow it. */
  | 'not-authorised'
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
  'not-authorised': 403,
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
  'too-much': 413,
  unavailable: 503,
};
