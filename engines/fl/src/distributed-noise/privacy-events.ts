import type { SkellamEvent } from '@ringfence/dp/accountant';
import { FlError } from '../fl-error.ts';
import { roundedSensitivity } from './sensitivity.ts';
import type { UpdateEncoding } from './update-encoding.ts';

/** What rounds do to privacy before three onlookers; undefined where no noise is left that they do not know. */
export interface NoiseAgainst {
  /** Who sees sums and models and takes no part. */
  readonly outsiders: SkellamEvent | undefined;
  /** Who takes part, and can subtract their own noise. */
  readonly member: SkellamEvent | undefined;
  /** All other clients together: a client's own noise is all that is left. */
  readonly others: SkellamEvent | undefined;
}

/**
 * The events of `rounds` sums in which at least `noised` clients' noise is (`honestMin` of the encoding unless more are known to have survived), under the relation that a unit, or a client's
 * whole update, is there or not. Without sampling: the aggregator knows who took part. Throws FlError `bad-parameters` for counts that cannot be.
 */
export function noiseAgainst(
  encoding: UpdateEncoding,
  { rounds, noised = encoding.honestMin }: { readonly rounds: number; readonly noised?: number },
): NoiseAgainst {
  if (!Number.isInteger(rounds) || rounds < 1) throw new FlError('bad-parameters', 'there is at least one round');
  if (!Number.isInteger(noised) || noised < 1 || noised > encoding.clients)
    throw new FlError('bad-parameters', 'noise is of 1 client to all');
  const { l1, l2, delta } = roundedSensitivity(encoding);
  const event = (parties: number): SkellamEvent | undefined => {
    const mu = parties * encoding.variance;
    if (mu === 0) return undefined;
    const slip = delta === 0 ? {} : { slip: delta };
    return { type: 'skellam', mu, l1, l2, dimension: encoding.dimension, steps: rounds, ...slip };
  };
  return { outsiders: event(noised), member: event(noised - 1), others: event(1) };
}
