import { invertReal, transformReal, type ComplexArray } from './fft.ts';
import type { LossDistribution } from './loss-distribution.ts';
import { windowOfSum, type RepeatedLosses } from './sum-window.ts';

export interface ComposeOptions {
  /** Pessimistic: what lies above the window or may be rounding goes to infinity. Optimistic: it is left out. */
  readonly bound: 'pessimistic' | 'optimistic';
  /** Mass that may be cut off at each end of the sum; it is counted. */
  readonly tail: number;
}

/** Part of a distribution's total that rounding may have moved: a transform's steps each lose a few units of the last place. */
const ROUNDING = 2 ** -50;
/** The natural logarithm of what a frequency has to have to be worth its sine: all that is left out has less than 1e−18 together. */
const FAINT = -55;

/** The losses of all these independent runs together, by powers of the Fourier transform. All are on grids of the same interval. */
export function composeLosses(parts: readonly RepeatedLosses[], { bound, tail }: ComposeOptions): LossDistribution {
  const [only] = parts;
  if (only === undefined) throw new RangeError('there is nothing to compose');
  if (parts.length === 1 && only.steps === 1) return only.losses;
  const { interval } = only.losses;
  const [low, high] = windowOfSum(parts, tail);
  const width = high - low + 1;
  const longest = Math.max(...parts.map(({ losses }) => losses.probs.length));
  const size = 2 ** Math.ceil(Math.log2(Math.max(width, longest, 4)));
  // Indexes modulo the size: the sum is found at the same place modulo the size.
  const wrapped = invertReal(productOfPowers(parts, size));
  const start = low - parts.reduce((sum, { losses, steps }) => sum + steps * losses.first, 0);
  const sums = new Float64Array(width);
  for (let at = 0, from = ((start % size) + size) % size; at < width; at += 1, from = from + 1 === size ? 0 : from + 1)
    sums[at] = Math.max(0, wrapped[from] as number);
  const runs = parts.reduce((sum, { steps }) => sum + steps, 0);
  const bounded = parts.reduce((sum, { losses, steps }) => sum + steps * Math.log1p(-losses.infinity), 0);
  const doubt = 2 * tail + runs * Math.log2(size) * ROUNDING;
  if (bound === 'optimistic')
    return { interval, first: low, probs: lessDoubt(sums, doubt), infinity: -Math.expm1(bounded) };
  return { interval, first: low, probs: sums, infinity: Math.min(1, doubt - Math.expm1(bounded)) };
}

/** Takes `doubt` from the top down: what is left is a lower bound of each upper tail. */
function lessDoubt(sums: Float64Array, doubt: number): Float64Array {
  let left = doubt;
  for (let at = sums.length - 1; at >= 0 && left > 0; at -= 1) {
    const taken = Math.min(left, sums[at] as number);
    sums[at] = (sums[at] as number) - taken;
    left -= taken;
  }
  return sums;
}

function productOfPowers(parts: readonly RepeatedLosses[], size: number): ComplexArray {
  const [lengths, angles] = [new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)];
  for (const { losses, steps } of parts) {
    const values = new Float64Array(size);
    values.set(losses.probs);
    const { re, im } = transformReal(values);
    for (let k = 0; k <= size / 2; k += 1) {
      if ((lengths[k] as number) < FAINT) continue;
      const [x, y] = [re[k] as number, im[k] as number];
      const length = (lengths[k] as number) + (steps / 2) * Math.log(x * x + y * y);
      lengths[k] = length;
      if (length >= FAINT) angles[k] = (angles[k] as number) + Math.atan2(y, x) * steps;
    }
  }
  const [re, im] = [new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)];
  for (let k = 0; k <= size / 2; k += 1) {
    if ((lengths[k] as number) < FAINT) continue;
    const length = Math.exp(lengths[k] as number);
    re[k] = length * Math.cos(angles[k] as number);
    im[k] = length * Math.sin(angles[k] as number);
  }
  return { re, im };
}
