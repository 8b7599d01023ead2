import { RingfenceError, type ErrorDetail } from '@ringfence/base';

/** Why the control plane refuses a request or cannot start. */
export type ControlPlaneErrorCode =
  /** A flag or an environment variable cannot be used. */
  | 'bad-config'
  /** A key file of the state folder is damaged or missing. */
  | 'bad-keys'
  /** The request is not of the declared form. */
  | 'bad-request'
  /** No valid signature of a device that some organisation vouches for. */
  | 'not-authenticated'
  /** Who asks is not known surely enough: the answer says what would be enough. */
  | 'step-up'
  /** A page of another site sent it. */
  | 'cross-site'
  /** A lock cuts the caller off. */
  | 'locked'
  /** The policy does not allow it. */
  | 'not-authorised'
  /** It does not exist, or belongs to somebody else. */
  | 'not-found'
  /** The same id was used for something else. */
  | 'conflict'
  /** The statements do not verify or do not fit together. */
  | 'bad-statement'
  /** The code is unknown, spent or expired, or its proof is wrong. */
  | 'bad-code'
  /** Too large, too many, too often. */
  | 'too-much'
  /** The database does not answer. */
  | 'unavailable';

/** The one error class of this app. */
export class ControlPlaneError extends RingfenceError<ControlPlaneErrorCode> {
  /** After how many seconds it is worth asking again. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: ControlPlaneErrorCode,
    message: string,
    { retryAfterS, ...detail }: ErrorDetail & { readonly retryAfterS?: number } = {},
  ) {
    super(code, message, detail);
    this.retryAfterS = retryAfterS;
  }
}

/** HTTP status of each code. */
export const STATUS_OF: Readonly<Record<ControlPlaneErrorCode, number>> = {
  'bad-config': 500,
  'bad-keys': 500,
  'bad-request': 400,
  'not-authenticated': 401,
  'step-up': 401,
  'cross-site': 403,
  locked: 403,
  'not-authorised': 403,
  'not-found': 404,
  conflict: 409,
  'bad-statement': 422,
  'bad-code': 403,
  'too-much': 429,
  unavailable: 503,
};
