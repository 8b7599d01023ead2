import type { Clock, EpochMs, MonotonicMs } from '../clock.ts';

/** The machine's clocks and timers; composition roots pass it in. */
export const systemClock: Clock = {
  // oxlint-disable-next-line no-restricted-globals, no-restricted-properties -- the one place that reads the wall clock
  now: () => Date.now() as EpochMs,
  monotonic: () => performance.now() as MonotonicMs,
  after: (delay, run) => {
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  },
};
