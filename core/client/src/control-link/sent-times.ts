import type { MonotonicMs } from '@ringfence/base';

const REMEMBERED = 1_024;

/** When each of the newest frames of one connection was sent: what an `echo` stands for. */
export class SentTimes {
  readonly #times = new Map<number, MonotonicMs>();

  /** The frame with this sequence is sent at `at`, or a little later. */
  sent(sequence: number, at: MonotonicMs): void {
    this.#times.set(sequence, at);
    this.#times.delete(sequence - REMEMBERED);
  }

  /** When the frame that `echo` names was sent; undefined for one that was not, or too long ago to matter. */
  at(echo: number): MonotonicMs | undefined {
    return this.#times.get(echo);
  }
}
