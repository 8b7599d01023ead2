import type { Clock, EpochMs, MonotonicMs } from './clock.ts';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until `advance` moves it; for tests and simulations. */
export class ManualClock implements Clock {
  #monotonic = 0;
  #skew: number;
  readonly #timers = new Set<Timer>();

  constructor(start = 1_800_000_000_000) {
    this.#skew = start;
  }

  now(): EpochMs {
    return (this.#monotonic + this.#skew) as EpochMs;
  }

  monotonic(): MonotonicMs {
    return this.#monotonic as MonotonicMs;
  }

  after(delay: number, run: () => void): () => void {
    const timer = { at: this.#monotonic + delay, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Moves both clocks on by `milliseconds` and runs what falls due, in order. */
  advance(milliseconds: number): void {
    const end = this.#monotonic + milliseconds;
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#monotonic = Math.max(this.#monotonic, next.at);
      next.run();
    }
    this.#monotonic = end;
  }

  /** Sets the wall clock off by `milliseconds`; the monotonic clock does not notice. */
  jump(milliseconds: number): void {
    this.#skew += milliseconds;
  }
}
