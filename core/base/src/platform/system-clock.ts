import type { Clock, EpochMs, MonotonicMs } from '../clock.ts';

/** Node fires a longer timer at once: its delay is a signed 32-bit number. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's wall clock and timers over a monotonic clock in milliseconds. */
export function clockOver(monotonic: () => number): Clock {
  return {
    // oxlint-disable-next-line no-restricted-globals, no-restricted-properties -- the one place that reads the wall clock
    now: () => Date.now() as EpochMs,
    monotonic: () => monotonic() as MonotonicMs,
    after: (delay, run) => {
      const due = monotonic() + delay;
      let timer: NodeJS.Timeout;
      // Node drops the fraction of a delay and fires up to two milliseconds early: who asks what is due by then would find nothing.
      const wait = (): void => {
        const left = Math.max(0, due - monotonic());
        timer = setTimeout(() => (monotonic() < due ? wait() : run()), Math.min(Math.ceil(left), LONGEST_TIMER_MS));
      };
      wait();
      return () => clearTimeout(timer);
    },
  };
}

/** The machine's clocks and timers; composition roots pass it in. */
export const systemClock: Clock = clockOver(() => performance.now());
