import type { Rng } from '@ringfence/base';
import { bernoulliExp, type Fraction } from './bernoulli.ts';
import { discreteLaplace } from './discrete-laplace.ts';

/** A whole number x with probability in proportion to e^(−x²/2·`variance`) (Canonne, Kamath, Steinke 2020, algorithm 3). */
export function discreteGaussian(variance: Fraction, rng: Rng): bigint {
  const { over, under } = variance;
  const t = floorSqrt(over / under) + 1n;
  for (;;) {
    const drawn = discreteLaplace({ over: t, under: 1n }, rng);
    const size = drawn < 0n ? -drawn : drawn;
    // (|x| − variance/t)² / (2·variance), over one denominator.
    const distance = size * t * under - over;
    if (bernoulliExp({ over: distance * distance, under: 2n * over * under * t * t }, rng)) return drawn;
  }
}

/** The greatest whole number whose square is at most `value` (Newton). */
function floorSqrt(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
