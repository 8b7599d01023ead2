import { randomBelow, type Rng } from '@ringfence/base';

/** Upper bound of the first wait after a disconnect: thousands of parties do not return as one. */
export const FIRST_DELAY_MS = 15_000;
/** The longest wait is so many times the first. */
const LONGEST_FACTOR = 4;

/** Milliseconds to wait after a server said to come again in `askedMs`: then, and a while of one's own; no server sends a party away for long. */
export function busyDelay(askedMs: number, first: number, rng: Rng): number {
  return Math.min(askedMs, first * LONGEST_FACTOR) + randomBelow(rng, Math.max(1, first));
}

/**
 * Milliseconds to wait before dialling again after `failures` attempts in a row that came to nothing: uniform below
 * `first`, then in the upper half of twice, then of four times that.
 */
export function redialDelay(failures: number, first: number, rng: Rng): number {
  if (failures === 0) return randomBelow(rng, Math.max(1, first));
  const bound = Math.max(2, first * Math.min(LONGEST_FACTOR, 2 ** failures));
  return Math.floor(bound / 2) + randomBelow(rng, Math.ceil(bound / 2));
}
