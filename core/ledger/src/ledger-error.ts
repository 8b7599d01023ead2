import { RingfenceError } from '@ringfence/base';

/** Why a ledger or a journal was refused. */
export type LedgerErrorCode =
  /** A file of captured packets or counters is none. */
  | 'bad-capture'
  /** An event that the schema of this ledger does not know. */
  | 'bad-event'
  /** A record of a journal does not continue the one before it, or was changed. */
  | 'broken-journal'
  /** An entry of a ledger does not continue the one before it, or was changed. */
  | 'broken-ledger';

/** The one error class of this package. */
export class LedgerError extends RingfenceError<LedgerErrorCode> {}
