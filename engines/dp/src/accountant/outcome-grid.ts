import type { GrowingPair } from './growing-pair.ts';
import type { LossDistribution } from './loss-distribution.ts';

/** How much of a distribution has a loss up to each point of a grid, and how much a higher one. */
interface TailsOnGrid {
  readonly below: Float64Array;
  readonly above: Float64Array;
}

/** Of P and of Q. */
export interface OutcomeGrid {
  readonly interval: number;
  /** Of the first point, in intervals. */
  readonly first: number;
  readonly upper: TailsOnGrid;
  readonly lower: TailsOnGrid;
}

/** A grid over the losses of a pair; what lies beyond its range counts with the ends. */
export function gridOf(pair: GrowingPair, interval: number): OutcomeGrid {
  const [least, most] = pair.range;
  const first = Math.floor(pair.lossOf(least) / interval);
  const last = Math.max(first + 1, Math.ceil(pair.lossOf(most) / interval));
  const tails = (): TailsOnGrid => ({
    below: new Float64Array(last - first + 1),
    above: new Float64Array(last - first + 1),
  });
  const [upper, lower] = [tails(), tails()];
  for (let at = 0; at <= last - first; at += 1) {
    const found = pair.tailsAt(pair.outcomeOf((first + at) * interval));
    upper.below[at] = found.upper.below;
    upper.above[at] = found.upper.above;
    lower.below[at] = found.lower.below;
    lower.above[at] = found.lower.above;
  }
  return { interval, first, upper, lower };
}

/** The grid of the converse pair, at the negative losses. */
export function converseGrid({ interval, first, upper, lower }: OutcomeGrid): OutcomeGrid {
  const mirror = ({ below, above }: TailsOnGrid): TailsOnGrid => ({
    below: above.toReversed(),
    above: below.toReversed(),
  });
  return { interval, first: -(first + upper.below.length - 1), upper: mirror(lower), lower: mirror(upper) };
}

/**
 * The pessimistic distribution on a grid (Doroshenko et al. 2022, “Connect the dots”): mass between two neighbours goes to both so that P and Q keep
 * theirs. It is the least one on this grid that dominates the pair.
 */
export function connectTheDots({ interval, first, upper, lower }: OutcomeGrid): LossDistribution {
  const count = upper.below.length;
  const probs = new Float64Array(count);
  let low = Math.exp(first * interval);
  for (let at = 1; at < count; at += 1) {
    const [p, q] = [massUpTo(upper, at), massUpTo(lower, at)];
    const high = Math.exp((first + at) * interval);
    // The part of q that lies at the upper end, when P = e^loss · Q at both.
    const above = Math.min(q, Math.max(0, (p - low * q) / (high - low)));
    probs[at - 1] = (probs[at - 1] as number) + low * (q - above);
    probs[at] = high * above;
    low = high;
  }
  const p = upper.above[count - 1] as number;
  const top = Math.min(p, low * (lower.above[count - 1] as number));
  probs[count - 1] = (probs[count - 1] as number) + top;
  return { interval, first, probs, infinity: p - top };
}

/** From the point before: the difference in the tail where both are small. What lies below the grid is counted with its first cell. */
function massUpTo({ below, above }: TailsOnGrid, at: number): number {
  const to = below[at] as number;
  if (at === 1) return to;
  const from = above[at - 1] as number;
  return from < to ? from - (above[at] as number) : to - (below[at - 1] as number);
}
