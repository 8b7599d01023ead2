const SECOND = 1_000;

/** How much happened within the last seconds; a second counts whole until all of it has passed. */
export class RollingCount {
  readonly #seconds: number;
  readonly #slots: Float64Array;
  #sum = 0;
  /** The newest second that was looked at. */
  #at = Number.NEGATIVE_INFINITY;

  constructor(seconds: number) {
    this.#seconds = seconds;
    // One more: the oldest and the newest second are both cut by the window.
    this.#slots = new Float64Array(seconds + 1);
  }

  /** Counts `amount` at `now` (milliseconds of a clock that never goes back). */
  add(amount: number, now: number): void {
    this.#advance(now);
    this.#slots[this.#at % this.#slots.length] = (this.#slots[this.#at % this.#slots.length] ?? 0) + amount;
    this.#sum += amount;
  }

  /** The amount of the window. */
  sum(now: number): number {
    this.#advance(now);
    return this.#sum;
  }

  /** The amount a second. */
  perSecond(now: number): number {
    return this.sum(now) / this.#seconds;
  }

  /** Whole seconds, 1 or more, until the window holds less than `limit` if nothing more happens. */
  secondsUntilBelow(limit: number, now: number): number {
    this.#advance(now);
    let left = this.#sum;
    for (let second = 1; second < this.#slots.length; second += 1) {
      left -= this.#slots[(this.#at + second) % this.#slots.length] ?? 0;
      if (left < limit) return second;
    }
    return this.#slots.length;
  }

  #advance(now: number): void {
    const second = Math.floor(now / SECOND);
    if (second <= this.#at) return;
    const from = Math.max(this.#at + 1, second - this.#slots.length + 1);
    for (let passed = from; passed <= second; passed += 1) {
      this.#sum -= this.#slots[passed % this.#slots.length] ?? 0;
      this.#slots[passed % this.#slots.length] = 0;
    }
    this.#at = second;
  }
}
