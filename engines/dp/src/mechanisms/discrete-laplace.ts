import type { Rng } from '@ringfence/base';
import { bernoulli, bernoulliExp, type Fraction } from './bernoulli.ts';
import { uniformBelow } from './uniform.ts';

/** A whole number x with probability in proportion to e^(−|x|/`scale`) (Canonne, Kamath, Steinke 2020, algorithm 2). */
export function discreteLaplace({ over, under }: Fraction, rng: Rng): bigint {
  // Named as there: the scale is t/s.
  const [t, s] = [over, under];
  for (;;) {
    const u = uniformBelow(t, rng);
    if (!bernoulliExp({ over: u, under: t }, rng)) continue;
    let v = 0n;
    while (bernoulliExp({ over: 1n, under: 1n }, rng)) v += 1n;
    const size = (u + t * v) / s;
    const isNegative = bernoulli({ over: 1n, under: 2n }, rng);
    if (isNegative && size === 0n) continue;
    return isNegative ? -size : size;
  }
}
