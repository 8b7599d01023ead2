import type { EpochMs, JobId } from '@ringfence/base';

/** The highest priority that a job can ask for, and the highest that waiting earns it. */
export const HIGHEST_PRIORITY = 100;
/** A job that waits gains one point of priority in so many milliseconds. */
export const AGING_MS = 60_000;

/** What of a job decides when it is its turn. */
export interface InQueue {
  readonly job: JobId;
  /** As signed: 0 to {@link HIGHEST_PRIORITY}. */
  readonly priority: number;
  readonly submittedAt: number;
}

/**
 * A job's priority with what its wait has added: never more than {@link HIGHEST_PRIORITY}, so that after at most 100 minutes nothing that is
 * submitted later goes before it. A clock that goes back takes points away again, but none that were signed.
 */
export function agedPriority({ priority, submittedAt }: InQueue, now: EpochMs): number {
  const earned = Math.floor(Math.max(0, now - submittedAt) / AGING_MS);
  return Math.min(HIGHEST_PRIORITY, priority + earned);
}

/** The order of the queue: aged priority, then submission, then id; negative when `a` comes first. */
export function inQueueOrder(a: InQueue, b: InQueue, now: EpochMs): number {
  return (
    agedPriority(b, now) - agedPriority(a, now) ||
    a.submittedAt - b.submittedAt ||
    (a.job < b.job ? -1 : Number(a.job > b.job))
  );
}
