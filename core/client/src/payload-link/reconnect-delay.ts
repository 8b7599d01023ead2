import { durationMs, randomBelow, type DurationMs, type Rng } from '@ringfence/base';

/** Listeners of a relay that restarts do not return as one, but spread over this many milliseconds. */
const RECONNECT_WITHIN = 15_000;

const SHORTEST = 250;
const LONGEST = 60_000;

/** How long to wait before the first new attempt: uniform in 0.25 s to `within` milliseconds. */
export function firstReconnectDelay(rng: Rng, within = RECONNECT_WITHIN): DurationMs {
  return durationMs(SHORTEST + randomBelow(rng, Math.max(1, within - SHORTEST)));
}

/** How long to wait after one more failure: double, at most 60 s. */
export function nextReconnectDelay(delay: DurationMs): DurationMs {
  return durationMs(Math.min(LONGEST, delay * 2));
}
