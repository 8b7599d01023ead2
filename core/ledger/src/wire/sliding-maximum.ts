/** Amounts at moments (milliseconds), and the most that fell into any window of a given length. */
export class SlidingMaximum {
  readonly #amounts: { at: number; amount: number }[] = [];
  readonly #length: number;

  /** `length` of the window in milliseconds. */
  constructor(length: number) {
    this.#length = length;
  }

  /** Something happened at `at`. */
  add(at: number, amount: number): void {
    if (amount > 0) this.#amounts.push({ at, amount });
  }

  /** The sum of all amounts. */
  total(): number {
    return this.#amounts.reduce((sum, { amount }) => sum + amount, 0);
  }

  /** The largest sum within [t, t + length) over all t. */
  maximum(): number {
    const sorted = this.#amounts.toSorted((a, b) => a.at - b.at);
    let most = 0;
    let sum = 0;
    let first = 0;
    for (const { at, amount } of sorted) {
      sum += amount;
      for (let oldest = sorted[first]; oldest !== undefined && oldest.at <= at - this.#length; oldest = sorted[first]) {
        sum -= oldest.amount;
        first += 1;
      }
      most = Math.max(most, sum);
    }
    return most;
  }
}
