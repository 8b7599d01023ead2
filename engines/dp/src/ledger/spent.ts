import { epsilonOf } from '../accountant/index.ts';
import { eventsOf, type Tally } from './tally.ts';

/** An (epsilon, delta) bound. */
export interface Bound {
  readonly epsilon: number;
  readonly delta: number;
}

/** What has been done to a dataset: everything up to some moment as one bound, where it is not known event by event; and what was counted since. */
export interface Spent {
  readonly floor: Bound | undefined;
  readonly tally: Tally;
}

/**
 * An upper bound of epsilon at `delta` for all of it together, by the tightest accountant that vouches for it; ∞ where there is none. A floor is added by
 * basic composition (Dwork, Roth 2014, theorem 3.16): its delta is no more there for the rest.
 */
export function epsilonSpent({ floor, tally }: Spent, delta: number): number {
  const left = delta - (floor?.delta ?? 0);
  const least = floor?.epsilon ?? 0;
  if (left < 0) return Infinity;
  if (tally.length === 0) return least;
  if (left === 0) return Infinity;
  return least + epsilonOf(eventsOf(tally), left).least;
}
