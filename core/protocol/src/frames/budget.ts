/** Bytes that a direction may send at once, and that it regains per minute. */
export const BUDGET_BYTES = 16_384;
/** Bytes that each frame of an attempt's transition adds. */
export const TRANSITION_BYTES = 16_384;
/** So much of what transitions brought may be left over at a time. */
const KEPT_CREDIT = 3 * TRANSITION_BYTES;
/**
 * Depth of the bucket on the reading side: a network that holds back up to two minutes of frames and then delivers them
 * at once is no breach.
 */
export const READER_DEPTH = 3 * BUDGET_BYTES;
/** Bytes that heartbeats and renewals leave for acknowledgements and durable messages. */
export const BUDGET_RESERVE = 4_096;

const MINUTE = 60_000;

/** A token bucket; plain data. */
export interface Budget {
  /** Bytes times milliseconds of a minute, so that refills are whole numbers. */
  readonly tokens: number;
  /** Whole milliseconds of the clock that the caller passes. */
  readonly at: number;
}

/** One frame to pay for. */
export interface Spending {
  readonly bytes: number;
  /** The frame brings its own {@link TRANSITION_BYTES}. */
  readonly transition?: boolean;
  /** Bytes that must be left over; 0 unless told. */
  readonly reserve?: number;
}

/** A full bucket of `depth` bytes at `now` (whole milliseconds). */
export function fullBudget(now: number, depth: number = BUDGET_BYTES): Budget {
  return { tokens: depth * MINUTE, at: now };
}

/** The bucket after time has passed: it refills up to `depth`; a clock that goes back refills nothing. */
export function refill(budget: Budget, now: number, depth: number = BUDGET_BYTES): Budget {
  const gained = Math.min(Math.max(0, now - budget.at), MINUTE * Math.ceil(depth / BUDGET_BYTES)) * BUDGET_BYTES;
  return { tokens: Math.max(budget.tokens, Math.min(depth * MINUTE, budget.tokens + gained)), at: now };
}

/** The bucket after paying for a frame, already refilled; undefined when it does not hold enough. */
export function spend(
  budget: Budget,
  { bytes, transition = false, reserve = 0 }: Spending,
  depth: number = BUDGET_BYTES,
): Budget | undefined {
  const credited = budget.tokens + (transition ? TRANSITION_BYTES * MINUTE : 0);
  const left = Math.min(credited - bytes * MINUTE, (depth + KEPT_CREDIT) * MINUTE);
  return left < reserve * MINUTE ? undefined : { tokens: left, at: budget.at };
}

/** Milliseconds until a refilled bucket pays for the frame; 0 when it does now. */
export function waitFor(budget: Budget, { bytes, transition = false, reserve = 0 }: Spending): number {
  const credited = budget.tokens + (transition ? TRANSITION_BYTES * MINUTE : 0);
  return Math.max(0, Math.ceil(((bytes + reserve) * MINUTE - credited) / BUDGET_BYTES));
}
