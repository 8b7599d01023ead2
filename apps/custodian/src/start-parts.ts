import type { Clock, Log, Rng } from '@ringfence/base';
import type { CustodianConfig } from './config.ts';
import type { Fault } from './fault-points.ts';

/** What main hands in. */
export interface StartParts {
  readonly config: CustodianConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly fault: Fault;
  /** Called when this process waits behind an active one, with its ready line. */
  readonly onStandby?: (ready: Readonly<Record<string, string>>) => void;
  /** Called when another process has taken over, or may have: this one must end at once. */
  readonly onLost?: (why: 'superseded' | 'silent') => void;
  /** Called when the journal can be written no more: this process has to end, and to be started again. */
  readonly onJournalFailed?: (error: Error) => void;
  /** Ends the waiting. */
  readonly stop?: AbortSignal;
}
