import { FlError } from '../fl-error.ts';
import type { Kernels } from '../kernels/compiled.ts';
import type { KeyStream } from '../ring/key-stream.ts';
import { roundedSensitivity } from './sensitivity.ts';
import type { UpdateEncoding } from './update-encoding.ts';

/** Each try holds the bound with probability 0.39 or more: so many fail once in 2^140 updates. */
const MOST_TRIES = 200;
/** Relative error of adding 2^27 squares in doubles. */
const SUM_SLIP = 2 ** -26;
/** Bytes of random words drawn at a time. */
export const ROUNDING_BYTES = 65_536;
const PIECE = ROUNDING_BYTES / 4;

/** Where in the kernels' memory scaled numbers are (doubles), where whole ones go, and a place of {@link ROUNDING_BYTES}. */
export interface RoundedPlace {
  readonly values: number;
  readonly rounded: number;
  readonly random: number;
}

/**
 * Whole numbers modulo 2^32 next to scaled values, up or down at random so that the mean is right; where the whole update is clipped and noised, anew until the bound that
 * the noise was made for holds (Kairouz, Liu, Steinke 2021, algorithm 1). What is above the floor is exact, so that rounding with the same words keeps two values that are near near.
 * Throws FlError `bad-update` where the bound never holds.
 */
export function roundWithin(kernels: Kernels, place: RoundedPlace, encoding: UpdateEncoding, stream: KeyStream): void {
  const bound = roundedSensitivity(encoding).l2 ** 2 * (1 - SUM_SLIP);
  const tested = encoding.variance > 0 && encoding.clipOf === 'update';
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1)
    if (roundOnce(kernels, place, encoding.dimension, stream) <= bound || !tested) return;
  throw new FlError('bad-update', 'an update could not be rounded within its bound');
}

/** Returns the sum of the squares. */
function roundOnce(kernels: Kernels, place: RoundedPlace, dimension: number, stream: KeyStream): number {
  const { values, rounded, random } = place;
  let squares = 0;
  for (let start = 0; start < dimension; start += PIECE) {
    const count = Math.min(PIECE, dimension - start);
    stream.fill(new Uint8Array(kernels.buffer, random, 4 * count));
    // Past an odd end lies a zero, which stays one.
    const even = count + (count % 2);
    squares += kernels.roundValues(values + 8 * start, random, rounded + 4 * start, even);
  }
  return squares;
}
