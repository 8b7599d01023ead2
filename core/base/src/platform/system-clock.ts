import type { Clock, EpochMs, MonotonicMs } from '../clock.ts';

/** Node fires a longer timer at once: its delay is a signed 32-bit number. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clocks and timers; composition roots pass it in. */
export const systemClock: Clock = {
  // oxlint-disable-next-line no-restricted-globals, no-restricted-properties -- the one place that reads the wall clock
  now: () => Date.now() as EpochMs,
  monotonic: () => performance.now() as MonotonicMs,
  after: (delay, run) => {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const now = Math.min(left, LONGEST_TIMER_MS);
      timer = setTimeout(() => (left > now ? wait(left - now) : run()), now);
    };
    wait(delay);
    return () => clearTimeout(timer);
  },
};
