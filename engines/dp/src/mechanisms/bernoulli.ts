import { uniformBelow } from './uniform.ts';
import type { Rng } from '@ringfence/base';

/** A non-negative fraction in whole numbers: nothing that is drawn passes through a float. */
export interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

/** The fraction that a double is, exactly. Throws RangeError for one that is negative or not finite. */
export function fractionOf(value: number): Fraction {
  if (!(value >= 0) || !Number.isFinite(value)) throw new RangeError('a fraction is finite and not negative');
  let [over, under] = [value, 1n];
  while (!Number.isInteger(over)) [over, under] = [over * 2, under * 2n];
  return { over: BigInt(over), under };
}

/** True with probability `p` ≤ 1. */
export function bernoulli({ over, under }: Fraction, rng: Rng): boolean {
  return uniformBelow(under, rng) < over;
}

/** True with probability e^−`rate` (Canonne, Kamath, Steinke 2020, algorithm 1). */
export function bernoulliExp(rate: Fraction, rng: Rng): boolean {
  let { over } = rate;
  const { under } = rate;
  // e^−rate is e^−1 as many times as it has wholes, and the rest.
  for (; over > under; over -= under) if (!bernoulliExpOfPart({ over: 1n, under: 1n }, rng)) return false;
  return bernoulliExpOfPart({ over, under }, rng);
}

/** The same for a rate of at most 1: how long a run of ever rarer successes is, decides by being odd. */
function bernoulliExpOfPart({ over, under }: Fraction, rng: Rng): boolean {
  let k = 1n;
  while (bernoulli({ over, under: under * k }, rng)) k += 1n;
  return k % 2n === 1n;
}
