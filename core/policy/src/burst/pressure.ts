import type { EpochMs } from '@ringfence/base';
import type { BurstTerms } from './burst-terms.ts';

/** A waiting job as a look at the queue sees it; times in milliseconds. */
export interface WaitingJob {
  readonly predictedWaitMs: number;
  readonly expectedMs: number;
  /** It may leave, and some machine away from home could take it if that were free: leaving would help it. */
  readonly mayBurst: boolean;
  readonly deadline?: EpochMs | undefined;
}

/** A look at the queue. */
export interface Look {
  readonly now: EpochMs;
  readonly waiting: readonly WaitingJob[];
}

/** What a look says: jobs that may leave wait too long, wait hardly, or neither. */
export type Pressure = 'high' | 'low' | 'between';

/** Judges a look; jobs that may not leave have no say, since leaving would not help them. */
export function pressureOf({ now, waiting }: Look, terms: BurstTerms): Pressure {
  const movable = waiting.filter(({ mayBurst }) => mayBurst);
  const late = movable.some((job) => isLate(job, now));
  if (late || movable.some(({ predictedWaitMs }) => predictedWaitMs > terms.highWaitMs)) return 'high';
  return movable.every(({ predictedWaitMs }) => predictedWaitMs < terms.lowWaitMs) ? 'low' : 'between';
}

function isLate({ deadline, predictedWaitMs, expectedMs }: WaitingJob, now: EpochMs): boolean {
  return deadline !== undefined && deadline - now < predictedWaitMs + expectedMs;
}
