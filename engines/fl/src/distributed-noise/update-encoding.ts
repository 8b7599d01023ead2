import { FlError } from '../fl-error.ts';
import { RING_WIDTHS } from '../ring/index.ts';
import { roundedSensitivity } from './sensitivity.ts';
import { drawsOf, MOST_DRAWN_VARIANCE, MOST_DRAWS } from './skellam-noise.ts';
import { fitsRing, largestNorm } from './wrap-around.ts';

/** How a vector of numbers becomes whole numbers in a ring and comes back as a sum: all numbers, so that it survives JSON. Clients with the same one agree on everything. */
export interface UpdateEncoding {
  /** Numbers in an update, and values in the ring: none is added. */
  readonly dimension: number;
  /** The most clients whose updates are in one sum. */
  readonly clients: number;
  /** Whose contribution `clip` bounds: the whole update's, or that of each unit (record, person) of many in it. */
  readonly clipOf: 'update' | 'unit';
  /** L2 norm. */
  readonly clip: number;
  /** L2 norm that a client's update is brought down to: `clip` where that is of the update. */
  readonly norm: number;
  /** What an update is multiplied by before it is rounded. */
  readonly scale: number;
  /** Bits of the ring. */
  readonly width: number;
  /** Variance of the Skellam noise that each client adds to each rounded number, an even whole number; 0 for none. */
  readonly variance: number;
  /** Clients that add their noise, at the least. */
  readonly honestMin: number;
}

/** What parties agree on; the rest follows. */
export interface EncodingTerms {
  readonly dimension: number;
  readonly clients: number;
  readonly clipOf: 'update' | 'unit';
  readonly clip: number;
  readonly scale: number;
  readonly width: number;
  /** Standard deviation of `honestMin` clients' noises together in clipping norms, as rounded; null for none. */
  readonly noise: { readonly multiplier: number; readonly honestMin: number } | null;
}

/** The most numbers of an update. */
export const MOST_DIMENSIONS = 2 ** 27;
/** The most clients of one sum. */
export const MOST_CLIENTS = 100_000;
/** What a client adds at the most: so much that drawing it takes as many turns as there may be. */
export const MOST_VARIANCE = MOST_DRAWN_VARIANCE * MOST_DRAWS;

/**
 * The encoding of agreed terms: the variance that makes the multiplier true of whole numbers, and for clipping by unit the largest norm that the ring holds. Throws FlError `bad-parameters` where
 * the terms are out of range or a sum would leave the ring with a probability above 2^−40.
 */
export function encodingOf(terms: EncodingTerms): UpdateEncoding {
  checkTerms(terms);
  const { dimension, clients, clipOf, clip, scale, width, noise } = terms;
  const variance = noise === null ? 0 : varianceEach(terms, noise);
  if (variance > MOST_VARIANCE)
    throw new FlError('bad-parameters', 'the noise is too wide for this scale', { next: 'Take a smaller scale.' });
  const known = { dimension, clients, clipOf, clip, scale, width, variance, honestMin: noise?.honestMin ?? 1 };
  const norm = clipOf === 'update' ? clip : largestNorm(known);
  if (norm < clip || !fitsRing({ ...known, norm }))
    throw new FlError('bad-parameters', 'a sum of so many clients would not fit the ring', {
      next: 'Take a smaller scale or more bits.',
    });
  return { ...known, norm };
}

/** A whole number of equal and even parts that can be drawn, rounded up, so that `honestMin` of them have the standard deviation that was promised. */
export function varianceEach(
  terms: Pick<EncodingTerms, 'dimension' | 'clipOf' | 'clip' | 'scale'>,
  noise: { readonly multiplier: number; readonly honestMin: number },
): number {
  const { l2 } = roundedSensitivity(terms);
  const least = (noise.multiplier * l2) ** 2 / noise.honestMin;
  const parts = 2 * drawsOf(least);
  return parts * Math.ceil(least / parts);
}

function checkTerms({ dimension, clients, clip, scale, width, noise }: EncodingTerms): void {
  const problems = [
    whole(dimension, 1, MOST_DIMENSIONS) || 'an update has 1 to 2^27 numbers',
    whole(clients, 1, MOST_CLIENTS) || 'a sum has 1 to 100,000 clients',
    positive(clip) || 'a clipping norm is a positive number',
    positive(scale) || 'a scale is a positive number',
    whole(width, RING_WIDTHS.least, RING_WIDTHS.most) || 'a ring has 8 to 32 bits',
    noise === null || positive(noise.multiplier) || 'a noise multiplier is a positive number',
    noise === null || whole(noise.honestMin, 1, clients) || 'honestMin is 1 to the number of clients',
  ].filter((problem) => problem !== true);
  if (problems[0] !== undefined) throw new FlError('bad-parameters', problems[0]);
}

function whole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** Far from where squares of it would leave what a double can hold. */
function positive(value: number): boolean {
  return value >= 1e-30 && value <= 1e30;
}
