import type { Clock, EpochMs, MonotonicMs } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';

/** The machine's clock, `factor` times as fast: budgets and delays of minutes pass in seconds, on real sockets. */
export function fastClock(factor: number): Clock {
  const start = systemClock.now();
  const origin = systemClock.monotonic();
  const elapsed = (): number => (systemClock.monotonic() - origin) * factor;
  return {
    now: () => Math.floor(start + elapsed()) as EpochMs,
    monotonic: () => elapsed() as MonotonicMs,
    after: (delay, run) => systemClock.after(Math.min(delay / factor, 2 ** 31 - 1), run),
  };
}
