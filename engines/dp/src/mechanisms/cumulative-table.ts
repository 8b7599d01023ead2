/** Bits of a table's probabilities; what rounding moves in all is below 2^−100, and is to be counted in delta. */
export const TABLE_BITS = 128;
/** More bits while it is made: a table adds up many roundings. */
export const GUARD_BITS = 64n;

/** P(X ≤ first + i) · 2^128 of a variable, as two halves of 64 bits; beyond its ends lies less than 2^−128. */
export interface CumulativeTable {
  readonly first: number;
  readonly high: BigUint64Array;
  readonly low: BigUint64Array;
}

/** The table of a variable whose values from `first` on have probabilities in proportion to `masses`. */
export function cumulativeTable(first: number, masses: readonly bigint[]): CumulativeTable {
  const total = masses.reduce((sum, mass) => sum + mass, 0n);
  const [high, low] = [new BigUint64Array(masses.length), new BigUint64Array(masses.length)];
  let sum = 0n;
  for (const [at, mass] of masses.entries()) {
    sum += mass;
    const scaled = at === masses.length - 1 ? (1n << BigInt(TABLE_BITS)) - 1n : (sum << BigInt(TABLE_BITS)) / total;
    high[at] = scaled >> 64n;
    low[at] = scaled & 0xffff_ffff_ffff_ffffn;
  }
  return { first, high, low };
}

/** The first value whose sum lies above the number of 128 bits at `words[at]`. */
export function drawFrom({ first, high, low }: CumulativeTable, words: BigUint64Array, at: number): number {
  const [top, rest] = [words[at] as bigint, words[at + 1] as bigint];
  let [from, to] = [0, high.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    const [a, b] = [high[middle] as bigint, low[middle] as bigint];
    if (a > top || (a === top && b > rest)) to = middle;
    else from = middle + 1;
  }
  return first + from;
}
