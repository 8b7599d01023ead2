/** How far rounded vectors of two neighbouring data sets are apart, in whole numbers. */
export interface RoundedSensitivity {
  readonly l1: number;
  readonly l2: number;
  /** The probability that rounding moves them further apart: what may slip in each release. */
  readonly delta: number;
}

/** Of a unit's contribution: small enough that a million releases of it are not seen in any delta. */
const UNIT_SLIP = 2 ** -80;
/** Of a whole update: rounding is done again until the bound holds, which it does with probability 1 − e^−1/2 or more. */
const UPDATE_LOG = 1 / 2;
/** Relative error of rotating and scaling in doubles, with room: some 60 sums, each within 2^−53, of both neighbours. */
const FLOAT_SLIP = 2 ** -44;
/** Of the norm that an update is brought down by, for each of its numbers: half of their squares in each of two sums, the root halves it, and there are two neighbours. */
const SUM_SLIP = 2 ** -54;
/** Words that decide about rounding have 32 bits. */
const WORD_SLIP = 2 ** -32;

/**
 * Bound on the norms of what one update or unit becomes by stochastic rounding (Kairouz, Liu, Steinke 2021, proposition 26). Where the whole update is clipped, the encoder tests the
 * bound and rounds anew, so it always holds. A unit's contribution is the difference of two sums that are rounded with the same words, which is distributed as its own rounding. The sums themselves have to
 * be exact: the trainer adds whole steps of a grid, and hands them on as doubles.
 */
export function roundedSensitivity(encoding: {
  readonly dimension: number;
  readonly clipOf: 'update' | 'unit';
  readonly clip: number;
  readonly scale: number;
  readonly norm?: number;
}): RoundedSensitivity {
  const { dimension, clipOf, clip, scale } = encoding;
  const perUnit = clipOf === 'unit';
  const root = Math.sqrt(dimension);
  const inDoubles = (FLOAT_SLIP + SUM_SLIP * dimension) * scale * (encoding.norm ?? clip);
  const slip = perUnit ? inDoubles + WORD_SLIP * root : 0;
  const exact = clip * scale + slip;
  const spread = Math.sqrt(2 * (perUnit ? -Math.log(UNIT_SLIP) : UPDATE_LOG)) * (exact + root / 2);
  const l2 = Math.min(exact + root, Math.sqrt(exact * exact + dimension / 4 + spread));
  // Whole numbers: each is at most its own square.
  return { l1: Math.min(root * l2, l2 * l2), l2, delta: perUnit ? UNIT_SLIP : 0 };
}
