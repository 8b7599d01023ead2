import type { Clock } from '@ringfence/base';

/** How long a question waits for a change. */
const WAIT_MS = 25_000;

/**
 * The number of the newest list of something, and who waits for the next. Numbers begin at a place of this process's own, so that a list of
 * an earlier one counts as another.
 */
export class NewestNumber {
  readonly first: number;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #seq: number;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.first = clock.now() * 1_000;
    this.#seq = this.first;
  }

  get seq(): number {
    return this.#seq;
  }

  /** There is a newer list. */
  next(): void {
    this.#seq += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Waits until the newest list is not number `after`, at most 25 s. */
  async changedSince(after: number): Promise<void> {
    if (after !== this.#seq || this.#closed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        cancel();
        resolve();
      };
      const cancel = this.#clock.after(WAIT_MS, done);
      this.#waiting.add(done);
    });
  }

  /** Lets everybody go who waits, and from now on at once. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting) wake();
  }
}
