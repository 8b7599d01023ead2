import type { Clock, MonotonicMs } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';

interface Timer {
  readonly due: number;
  readonly run: () => void;
  cancel: () => void;
}

/** The system's clock, but that its monotonic time can be moved on at once: real processes, and minutes that cost nothing. */
export class JumpingClock implements Clock {
  readonly now = systemClock.now.bind(systemClock);
  readonly #timers = new Set<Timer>();
  #ahead = 0;

  monotonic(): MonotonicMs {
    return (systemClock.monotonic() + this.#ahead) as MonotonicMs;
  }

  after(delay: number, run: () => void): () => void {
    const timer: Timer = { due: this.monotonic() + delay, run, cancel: () => {} };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      timer.cancel();
      this.#timers.delete(timer);
    };
  }

  /** Moves on by `milliseconds`; timers that come due run now, in their order. */
  jump(milliseconds: number): void {
    this.#ahead += milliseconds;
    const now = this.monotonic();
    for (const timer of [...this.#timers].toSorted((a, b) => a.due - b.due)) {
      timer.cancel();
      if (timer.due > now) this.#arm(timer);
      else this.#fire(timer);
    }
  }

  #arm(timer: Timer): void {
    timer.cancel = systemClock.after(Math.max(0, timer.due - this.monotonic()), () => this.#fire(timer));
  }

  #fire(timer: Timer): void {
    if (this.#timers.delete(timer)) timer.run();
  }
}
