import type { Brand } from './brand.ts';

/** Milliseconds since 1970-01-01T00:00Z by the wall clock; it may jump. */
export type EpochMs = Brand<number, 'EpochMs'>;
/** A length of time in milliseconds. */
export type DurationMs = Brand<number, 'DurationMs'>;
/** Milliseconds of a clock that never goes back and that nobody can set. */
export type MonotonicMs = Brand<number, 'MonotonicMs'>;

/** The only source of time; injected everywhere so that tests decide when it passes. */
export interface Clock {
  now(): EpochMs;
  monotonic(): MonotonicMs;
  /** Calls `run` once when `delay` milliseconds have passed by `monotonic`, never before; the returned function cancels it. */
  after(delay: number, run: () => void): () => void;
}

/** Brands a number of milliseconds as a duration. */
export function durationMs(milliseconds: number): DurationMs {
  return milliseconds as DurationMs;
}

/** Brands a number as a moment on the wall clock. */
export function epochMs(milliseconds: number): EpochMs {
  return milliseconds as EpochMs;
}

/** A promise that resolves after `delay` milliseconds of `clock`, or at once when `signal` aborts. */
export function sleep(clock: Clock, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const cancel = clock.after(delay, done);
    signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}
