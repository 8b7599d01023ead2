import { RingfenceError } from '@ringfence/base';

/** Why the relay does not start. */
export type RelayErrorCode =
  /** A flag is missing, unknown or has no usable value. */
  | 'bad-config'
  /** The certificate or its key cannot be read or do not fit. */
  | 'bad-certificate'
  /** The address cannot be bound. */
  | 'cannot-listen';

/** The one error class of the relay. */
export class RelayError extends RingfenceError<RelayErrorCode> {}
