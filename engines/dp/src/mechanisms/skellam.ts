import type { Rng } from '@ringfence/base';
import { drawFrom } from './cumulative-table.ts';
import { poissonTable, type PoissonTable } from './poisson-table.ts';

/** Values that are drawn from one call of the generator. */
const HEAP = 1_024;
/** Two numbers of 128 bits each. */
const BYTES_EACH = 32;

/**
 * Noise with the Skellam distribution: the difference of two Poisson variables, so that the sum of many is one again (Agarwal, Kairouz, Liu 2021). Drawn by
 * inversion of a table of 128 bits, within 2^−100 of the distribution. How long a draw takes depends on what is drawn.
 */
export class Skellam {
  readonly #table: PoissonTable;
  readonly #rng: Rng;

  /** `variance` is even and at least 2: each of the two variables has half of it. Throws RangeError. */
  constructor(variance: number, rng: Rng) {
    if (variance % 2 !== 0) throw new RangeError('a Skellam variable’s variance is an even whole number here');
    this.#table = poissonTable(variance / 2);
    this.#rng = rng;
  }

  /** Fills `target` with independent values. */
  fill(target: Int32Array): void {
    for (let start = 0; start < target.length; start += HEAP) {
      const count = Math.min(HEAP, target.length - start);
      const bytes = this.#rng.bytes(count * BYTES_EACH);
      const words = new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      for (let at = 0; at < count; at += 1)
        target[start + at] = drawFrom(this.#table, words, 4 * at) - drawFrom(this.#table, words, 4 * at + 2);
    }
  }
}
