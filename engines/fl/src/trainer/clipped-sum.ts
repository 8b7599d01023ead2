import { FlError } from '../fl-error.ts';

/** The most units of one sum: so many whole numbers of steps stay below 2^53, where doubles add exactly. */
export const MOST_UNITS = 2 ** 22;
/** Steps in a clipping norm: 2^30 to 2^31 of them. */
const FINENESS = 30;
/** What a double's square norm of 2^27 numbers may be off by, and more. */
const ROOM = 1 - 2 ** -25;

/**
 * Step of the grid that each unit's clipped gradient is cut to before it is added: a power of two near 2^−30 of `clip`. Sums of whole steps are exact, whatever else is in them, so that one unit moves a
 * sum by its own gradient and nothing more; floating-point sums round differently for every row once one is missing (Casacuberta et al. 2022).
 */
export function gridStep(clip: number): number {
  return 2 ** (Math.floor(Math.log2(clip)) - FINENESS);
}

/** Throws FlError `bad-data` for more units than are summed exactly. `units` is of all the data, not of a sample: that number is secret. */
export function checkUnits(units: number): void {
  if (units > MOST_UNITS)
    throw new FlError('bad-data', `a sum of clipped gradients has at most ${MOST_UNITS} rows or persons`);
}

/** What a gradient with the square norm `square` is multiplied by: `most`, or less where that leaves more than `clip`; 0, so that the unit adds nothing, where the norm is not finite. */
export function clippingFactor(square: number, clip: number, most = 1): number {
  return Number.isFinite(square) ? Math.min(most, (ROOM * clip) / Math.sqrt(square)) : 0;
}

/** Adds one unit's gradient, times the {@link clippingFactor}, to a sum of whole steps. */
export function addClipped(own: Float32Array, { clip, most }: ClippedUnit, sum: Float64Array): void {
  let square = 0;
  for (let at = 0; at < own.length; at += 1) square += (own[at] as number) ** 2;
  const factor = clippingFactor(square, clip, most) / gridStep(clip);
  if (factor === 0) return;
  // Towards zero: its norm grows by no step.
  for (let at = 0; at < own.length; at += 1) sum[at] = (sum[at] as number) + Math.trunc((own[at] as number) * factor);
}

/** How one unit's gradient is scaled. */
export interface ClippedUnit {
  readonly clip: number;
  /** The largest factor, 1 unless a unit's rows are averaged. */
  readonly most?: number;
}
