import { cumulativeTable, GUARD_BITS, TABLE_BITS, type CumulativeTable } from './cumulative-table.ts';

/** The standard deviation of some 250,000 entries: values lie within 14 or so on either side. */
const MOST_MEAN = 2 ** 26;

/** Sums of a Poisson variable's probabilities. */
export type PoissonTable = CumulativeTable;

/**
 * The table for a mean that is a whole number, made with whole numbers: from the mode outwards by the ratio of neighbours, then scaled to a sum of 1.
 * Throws RangeError for a mean above 2^26.
 */
export function poissonTable(mean: number): PoissonTable {
  if (!Number.isSafeInteger(mean) || mean < 1 || mean > MOST_MEAN)
    throw new RangeError('a mean is a whole number from 1 to 2^26');
  const one = 1n << (BigInt(TABLE_BITS) + GUARD_BITS);
  const up: bigint[] = [];
  const rate = BigInt(mean);
  for (let [k, mass] = [rate, one]; mass > 0n; k += 1n, mass = (mass * rate) / k) up.push(mass);
  const down: bigint[] = [];
  for (let [k, mass] = [rate, one]; k > 0n && mass > 0n;) {
    mass = (mass * k) / rate;
    k -= 1n;
    if (mass > 0n) down.push(mass);
  }
  return cumulativeTable(mean - down.length, [...down.toReversed(), ...up]);
}
