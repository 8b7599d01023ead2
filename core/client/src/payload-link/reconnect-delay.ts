import { durationMs, randomBelow, type DurationMs, type Rng } from '@ringfence/base';

const FIRST_BELOW = 15_000;
const SHORTEST = 250;
const LONGEST = 60_000;

/** How long to wait before the first new attempt: uniform in 0.25 to 15 s, so that listeners do not return as one. */
export function firstReconnectDelay(rng: Rng): DurationMs {
  return durationMs(SHORTEST + randomBelow(rng, FIRST_BELOW - SHORTEST));
}

/** How long to wait after one more failure: double, at most 60 s. */
export function nextReconnectDelay(delay: DurationMs): DurationMs {
  return durationMs(Math.min(LONGEST, delay * 2));
}
