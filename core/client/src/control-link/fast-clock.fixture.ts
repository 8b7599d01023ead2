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

/** Resolves when `condition` holds; rejects after `within` real milliseconds. */
export async function until(condition: () => boolean, what: string, within = 20_000): Promise<void> {
  const end = systemClock.monotonic() + within;
  while (!condition()) {
    if (systemClock.monotonic() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise<void>((resolve) => systemClock.after(5, resolve));
  }
}
