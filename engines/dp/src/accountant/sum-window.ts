import type { LossDistribution } from './loss-distribution.ts';

/** One mechanism's losses, and how often it runs. */
export interface RepeatedLosses {
  readonly losses: LossDistribution;
  readonly steps: number;
}

/** The logarithm of E[e^(slope · loss)] of a whole sum, and its variance. */
export interface SumMoments {
  readonly logMoment: (slope: number) => number;
  readonly variance: number;
}

/** Slopes are tried in steps of this factor. */
const FACTOR = 1.5;
const MOST_TRIES = 40;

/** Losses between which all but `tail` at each end of a sum lies, by Chernoff's bound at the slope that serves best. */
export function reachOfSum({ logMoment, variance }: SumMoments, tail: number): readonly [number, number] {
  const log = -Math.log(tail);
  const slope = Math.sqrt((2 * log) / variance);
  const bound = (at: number): number => (logMoment(at) + log) / Math.abs(at);
  return [-leastNear(slope, (at) => bound(-at)), leastNear(slope, bound)];
}

/** The same as indexes of a grid, where all parts are on one. */
export function windowOfSum(parts: readonly RepeatedLosses[], tail: number): readonly [number, number] {
  const { interval } = (parts[0] as RepeatedLosses).losses;
  const least = parts.reduce((sum, { losses, steps }) => sum + steps * losses.first, 0);
  const most = parts.reduce((sum, { losses, steps }) => sum + steps * (losses.first + losses.probs.length - 1), 0);
  const variance = parts.reduce((sum, { losses, steps }) => sum + steps * varianceOf(losses), 0);
  const logMoment = (slope: number): number =>
    parts.reduce((sum, { losses, steps }) => sum + steps * logMomentOf(losses, slope), 0);
  const [from, to] = reachOfSum({ logMoment, variance: Math.max(variance, interval * interval) }, tail);
  const low = Math.max(least, Math.floor(from / interval));
  return [low, Math.max(low, Math.min(most, Math.ceil(to / interval)))];
}

/** The least value of a function that falls and then rises, on slopes about `start`. */
function leastNear(start: number, valueAt: (slope: number) => number): number {
  let [best, at] = [valueAt(start), start];
  for (const factor of [FACTOR, 1 / FACTOR]) {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const value = valueAt(at * factor);
      if (!(value < best) && best < Infinity) break;
      [best, at] = [value, at * factor];
    }
  }
  return best;
}

function varianceOf({ interval, first, probs }: LossDistribution): number {
  let [total, mean, square] = [0, 0, 0];
  for (let at = 0; at < probs.length; at += 1) {
    const [mass, loss] = [probs[at] as number, first + at];
    total += mass;
    mean += mass * loss;
    square += mass * loss * loss;
  }
  return Math.max(0, square / total - (mean / total) ** 2) * interval * interval;
}

/** Weights below this are not looked at, and sums must be far above it to count. */
const FAINTEST = 1e-290;

/** log E[e^(slope · loss)]; ∞ where the slope is too steep to find it. */
function logMomentOf({ interval, first, probs }: LossDistribution, slope: number): number {
  const fall = Math.exp(-Math.abs(slope) * interval);
  const last = probs.length - 1;
  let [sum, weight] = [0, 1];
  for (let at = 0; at <= last && weight > FAINTEST; at += 1) {
    sum += weight * (probs[slope > 0 ? last - at : at] as number);
    weight *= fall;
  }
  if (sum < 1e20 * FAINTEST) return Infinity;
  return Math.log(sum) + slope * (slope > 0 ? first + last : first) * interval;
}
