import { randomBelow, type Rng } from '@ringfence/base';
import type { RetryReason } from '@ringfence/protocol';

/** The most that the first attempt after an end waits, in milliseconds. */
export const FIRST_BACK_OFF_MS = 1_000;
/** The most that any attempt waits, in milliseconds. */
export const LONGEST_BACK_OFF_MS = 300_000;
/** An attempt that ran for so long was well: what follows it starts at the beginning again. */
export const SETTLED_AFTER_MS = 600_000;

const MOST_DOUBLINGS = 20;

/** How often a job was tried again for each cause since it last ran for a while. */
export type RetryCounts = Readonly<Partial<Record<RetryReason, number>>>;

/** How long the next attempt waits, and the counts after it. */
export interface BackOff {
  readonly counts: RetryCounts;
  readonly delayMs: number;
}

/**
 * Exponential back-off by cause with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015): uniform in
 * [0, min(5 min, 1 s × 2^n)]. For `no-capacity` it is the longest wait, since a change of the inventory ends it before.
 */
export function backOff({
  counts,
  cause,
  ranMs,
  rng,
}: {
  readonly counts: RetryCounts;
  readonly cause: RetryReason;
  readonly ranMs: number;
  readonly rng: Rng;
}): BackOff {
  const before = ranMs >= SETTLED_AFTER_MS ? {} : counts;
  const doublings = before[cause] ?? 0;
  const most = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** doublings);
  return {
    counts: { ...before, [cause]: Math.min(doublings + 1, MOST_DOUBLINGS) },
    delayMs: cause === 'no-capacity' ? LONGEST_BACK_OFF_MS : randomBelow(rng, most + 1),
  };
}
