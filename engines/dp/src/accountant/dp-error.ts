import { RingfenceError } from '@ringfence/base';

/** Why an accountant gives no number. */
export type DpErrorCode =
  /** A number of an event is not one that its mechanism can have. */
  | 'bad-event'
  /** Epsilon is negative or no number, or delta not between 0 and 1. */
  | 'bad-target'
  /** No amount of noise that may be tried reaches the target. */
  | 'unreachable-target';

/** The one error class of this package. */
export class DpError extends RingfenceError<DpErrorCode> {}
