import type { Rng } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { shuffled } from '../trainer/index.ts';

/** How the means of buckets become one: the plain mean, the coordinate's median, or its mean without the `trim` lowest and highest (Yin et al. 2018). */
export type RobustRule =
  | { readonly kind: 'mean' }
  | { readonly kind: 'median' }
  | { readonly kind: 'trimmed'; readonly trim: number };

/**
 * Parts clients at random into as many buckets of at least `least` members as there can be, sizes differing by one at the most (Karimireddy et al. 2022). Each bucket is summed
 * under secure aggregation on its own, so nothing finer than a bucket's sum is seen; `rng` is seeded by what no single party chose. Throws FlError `bad-parameters` where there are fewer clients than a
 * bucket takes, or a bucket of fewer than 3 is asked for.
 */
export function randomBuckets(clients: number, least: number, rng: Rng): number[][] {
  if (!Number.isInteger(least) || least < 3) throw new FlError('bad-parameters', 'a bucket has at least 3 members');
  const count = Math.floor(clients / least);
  if (count < 1) throw new FlError('bad-parameters', 'there are fewer clients than a bucket takes');
  const order = [...shuffled(clients, rng)];
  return Array.from({ length: count }, (_, bucket) => order.filter((__, place) => place % count === bucket));
}

/**
 * One mean from the buckets' means, coordinate by coordinate. Buckets with a poisoned member are outvoted as long as they are at most `trim`, or fewer than half for the median; more are not.
 * Throws FlError `bad-parameters` for no bucket or a trim that leaves none, `bad-size` for means of several lengths.
 */
export function robustMean(rule: RobustRule, means: readonly Float64Array[]): Float64Array {
  const [first] = means;
  const trim = rule.kind === 'trimmed' ? rule.trim : 0;
  if (first === undefined || !Number.isInteger(trim) || trim < 0 || 2 * trim >= means.length)
    throw new FlError('bad-parameters', 'there are too few buckets for this rule');
  if (means.some(({ length }) => length !== first.length)) throw new FlError('bad-size', 'means of several models');
  const column = new Float64Array(means.length);
  const middle = (means.length - 1) / 2;
  const [from, to] = rule.kind === 'median' ? [Math.floor(middle), Math.ceil(middle)] : [trim, means.length - 1 - trim];
  return first.map((_, at) => {
    for (const [bucket, mean] of means.entries()) column[bucket] = mean[at] as number;
    if (rule.kind !== 'mean') column.sort();
    let sum = 0;
    for (let place = from; place <= to; place += 1) sum += column[place] as number;
    return sum / (to - from + 1);
  });
}

/** `mean` with an L2 norm of at most `most`: what a round can move the model by, however many clients are poisoned. */
export function boundedMean(mean: Float64Array, most: number): Float64Array {
  const norm = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0));
  return norm > most ? mean.map((value) => (value * most) / norm) : mean;
}
