import type { Rng } from '@ringfence/base';
import { cumulativeTable, drawFrom, GUARD_BITS, TABLE_BITS, type CumulativeTable } from './cumulative-table.ts';

/** Values that are drawn from one call of the generator. */
const HEAP = 2_048;
/** A table of some 900,000 entries. */
const MOST_DEVIATION = 2 ** 15;

/**
 * Noise with the discrete Gaussian distribution of a deviation that is a whole number, for many values: by inversion of a table of 128 bits, within 2^−100
 * of what `discreteGaussian` draws. How long a draw takes depends on what is drawn.
 */
export class GaussianNoise {
  readonly #table: CumulativeTable;
  readonly #rng: Rng;

  /** Throws RangeError for a deviation that is no whole number from 1 to 2^15. */
  constructor(deviation: number, rng: Rng) {
    this.#table = gaussianTable(deviation);
    this.#rng = rng;
  }

  /** Fills `target` with independent values. */
  fill(target: Int32Array): void {
    for (let start = 0; start < target.length; start += HEAP) {
      const count = Math.min(HEAP, target.length - start);
      const bytes = this.#rng.bytes(16 * count);
      const words = new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      for (let at = 0; at < count; at += 1) target[start + at] = drawFrom(this.#table, words, 2 * at);
    }
  }
}

/** e^(−x²/2σ²) from 0 outwards, in whole numbers: each is the one before times a ratio, which itself shrinks by one factor, e^(−1/σ²). */
function gaussianTable(deviation: number): CumulativeTable {
  if (!Number.isSafeInteger(deviation) || deviation < 1 || deviation > MOST_DEVIATION)
    throw new RangeError('a deviation is a whole number from 1 to 2^15');
  const bits = BigInt(TABLE_BITS) + GUARD_BITS;
  const square = BigInt(deviation) ** 2n;
  const factor = expOfMinus(square, bits);
  const up: bigint[] = [];
  // The first ratio is e^(−1/2σ²).
  for (let [mass, ratio] = [1n << bits, expOfMinus(2n * square, bits)]; mass > 0n; ratio = (ratio * factor) >> bits) {
    up.push(mass);
    mass = (mass * ratio) >> bits;
  }
  return cumulativeTable(1 - up.length, [...up.slice(1).toReversed(), ...up]);
}

/** e^(−1/`under`) · 2^`bits`, by its series. */
function expOfMinus(under: bigint, bits: bigint): bigint {
  let sum = 0n;
  for (let [term, k] = [1n << bits, 1n]; term !== 0n; term = -term / (under * k), k += 1n) sum += term;
  return sum;
}
