import { RingfenceError, type ErrorDetail } from '@ringfence/base';

/** Why the embedded server cannot be used. */
export type EmbeddedErrorCode =
  | 'unsupported-platform'
  | 'no-account'
  | 'unsafe-folder'
  | 'state-moved'
  | 'data-missing'
  | 'wrong-version'
  | 'start-failed'
  | 'stop-failed';

/** Why a database cannot be opened. */
export type OpenErrorCode =
  | 'bad-url'
  | 'insecure-url'
  | 'bad-options'
  | 'authentication'
  | 'untrusted-server'
  | 'unsupported-server'
  | 'bad-migrations'
  | 'migration-changed'
  | 'migration-failed'
  | 'database-newer'
  | 'not-isolated';

/**
 * Why a call on an open database failed. `unavailable`: nothing was done, try later. `outcome-unknown`: the connection broke
 * during COMMIT. `conflict`: serialization failure or deadlock. `duplicate`, `violation`: a constraint said no. `denied`: a
 * privilege or a row-level policy said no. `aborted`: the transaction had failed before its commit. `ended`: a transaction was
 * used after its callback had returned.
 */
export type CallErrorCode =
  | 'unavailable'
  | 'outcome-unknown'
  | 'conflict'
  | 'duplicate'
  | 'violation'
  | 'denied'
  | 'timeout'
  | 'aborted'
  | 'ended'
  | 'closed'
  | 'undeclared-query'
  | 'query-failed';

/** Every code of {@link StoreError}. */
export type StoreErrorCode = EmbeddedErrorCode | OpenErrorCode | CallErrorCode;

/** What the server said about a failed statement, without values. */
export interface SqlFault extends ErrorDetail {
  /** Five characters, PostgreSQL documentation appendix A. */
  readonly sqlState?: string | undefined;
  /** Name of the constraint that said no. */
  readonly constraint?: string | undefined;
}

/** The one error of this package; its messages carry no connection string, password or row value. */
export class StoreError extends RingfenceError<StoreErrorCode> {
  readonly sqlState: string | undefined;
  readonly constraint: string | undefined;

  constructor(code: StoreErrorCode, message: string, detail: SqlFault = {}) {
    super(code, message, detail);
    this.sqlState = detail.sqlState;
    this.constraint = detail.constraint;
  }
}
