import type { Clock } from '@ringfence/base';
import { ControlPlaneError } from './control-plane-error.ts';

const MOST_WAITING = 5_000;
/** Time between two turns before any was measured, in milliseconds, and what a new measurement weighs. */
const FIRST_PACE_MS = 10;
const WEIGHT = 0.05;

/** How many work at once, and how long the others may have to wait, in milliseconds. */
interface LineBounds {
  readonly atOnce: number;
  readonly longestWaitMs: number;
}

/** Work that is done first come first served, so much at once, with a bound on the time that it waits. */
export class WaitingLine {
  readonly #clock: Clock;
  readonly #bounds: LineBounds;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #paceMs = FIRST_PACE_MS;
  #lastTurn: number | undefined;

  constructor(clock: Clock, bounds: LineBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** Runs `work` in its turn. Throws ControlPlaneError `unavailable` with `retryAfterS` at once when that would come too late. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#bounds.atOnce) await this.#turn();
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #turn(): Promise<void> {
    const waitMs = this.#waiting.length * this.#paceMs;
    if (waitMs > this.#bounds.longestWaitMs || this.#waiting.length >= MOST_WAITING)
      throw new ControlPlaneError('unavailable', 'more requests wait than can be answered in time', {
        next: 'try again when Retry-After says',
        retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)),
      });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #next(): void {
    const next = this.#waiting.shift();
    this.#measure(next !== undefined);
    if (next === undefined) this.#running -= 1;
    else next();
  }

  /** Only while somebody waits does the time between two ends tell how fast the line moves. */
  #measure(waited: boolean): void {
    const now = this.#clock.monotonic();
    if (waited && this.#lastTurn !== undefined)
      this.#paceMs += WEIGHT * (Math.min(1_000, now - this.#lastTurn) - this.#paceMs);
    this.#lastTurn = waited ? now : undefined;
  }
}
