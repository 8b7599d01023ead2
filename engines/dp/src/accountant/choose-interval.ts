import type { LossSource } from './loss-source.ts';
import { sketchMoments, sketchVariance } from './loss-sketch.ts';
import { reachOfSum } from './sum-window.ts';

/** How far a grid may move epsilon, about. */
const TOLERANCE = 2e-4;
/** Standard deviations between the mean and the losses that decide at a delta of 1e−5. */
const QUANTILE = 4.3;
const COARSEST = 0.01;
const FINEST = 2e-5;
/** Points of a grid, at the most about. */
const MOST_POINTS = 2 ** 18;
/** A grid that costs little, or on which losses lie, may be this much finer than needed. */
const FINER = 8;
/** How nearly one unit is to be a multiple of another, in units. */
const ON_GRID = 1e-12;
/** Part of a transform's size that its window is to fill: what a sketch says of it is not exact. */
const FILL = 0.97;

/** A source of losses and how often it is asked. */
export interface RepeatedSource {
  readonly source: LossSource;
  readonly steps: number;
}

/**
 * A grid for all of these together: mass that goes to two neighbours adds at most interval²/6 or so to the variance of each run, so about the coarsest one whose
 * addition moves epsilon by 2e−4, and such that the window of the sum, beyond which lies `tail`, just fits a power of two. Losses that lie on a grid of their own
 * stay on it where that can be.
 */
export function chooseInterval(parts: readonly RepeatedSource[], tail: number): number {
  const steps = parts.reduce((sum, part) => sum + part.steps, 0);
  const variance = parts.reduce((sum, part) => sum + part.steps * sketchVariance(part.source.sketch), 0);
  const spread = Math.sqrt((12 * Math.sqrt(variance) * TOLERANCE) / (QUANTILE * steps));
  // A single run needs no transform: it may have a finer one.
  const wanted = Math.min(COARSEST, Math.max(FINEST, spread)) / (steps === 1 ? FINER : 1);
  const widest = Math.max(...parts.map(({ source }) => source.width));
  const logMoment = (slope: number): number =>
    parts.reduce((sum, part) => sum + part.steps * sketchMoments(part.source.sketch, slope), 0);
  const [low, high] = steps === 1 ? [0, widest] : reachOfSum({ logMoment, variance }, tail);
  const points = 2 ** Math.min(Math.log2(MOST_POINTS), Math.round(Math.log2((high - low) / wanted)));
  const interval = Math.max((high - low) / (FILL * points), widest / MOST_POINTS);
  return onUnits(parts, interval, wanted);
}

/** The same or a little less, such that the units of all sources that have some are multiples of it, where they are of each other. */
function onUnits(parts: readonly RepeatedSource[], interval: number, wanted: number): number {
  const units = parts.flatMap(({ source: { unit } }) => (unit !== undefined && unit.loss > 0 ? [unit] : []));
  if (units.length === 0) return interval;
  const least = Math.min(...units.map(({ loss }) => loss));
  if (units.some(({ loss }) => Math.abs(loss / least - Math.round(loss / least)) > ON_GRID)) return interval;
  if (least * FINER < wanted) return interval;
  // Nothing is rounded at all.
  if (units.length === parts.length && units.every(({ isOfAll }) => isOfAll)) return least;
  return least / Math.ceil(least / interval);
}
