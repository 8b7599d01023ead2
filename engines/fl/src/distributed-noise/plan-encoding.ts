import { encodingOf, MOST_VARIANCE, varianceEach, type EncodingTerms, type UpdateEncoding } from './update-encoding.ts';
import { FlError } from '../fl-error.ts';
import { chooseWidth, fitsRing } from './wrap-around.ts';

/** What is given when a scale and a width are looked for. */
export interface EncodingWishes extends Omit<EncodingTerms, 'scale' | 'width'> {
  /** Bits that the ring is to have; the narrowest that does where it is left out. */
  readonly width?: number;
  /** How many times `clip` a client's whole update may be, for clipping by unit: the most units in it, or fewer. */
  readonly unitsInUpdate?: number;
}

/** Rounding then widens the noise that is needed by about 1 %. */
const NOISED_STEPS_PER_ROOT = 7.1;
/** Without noise: rounding errors of a client are about a hundredth of a clipping norm. */
const PLAIN_STEPS_PER_ROOT = 64;
const FEWEST_STEPS = 512;

/**
 * A scale and a width for what is wished, as an encoding: the scale that makes rounding's cost small and the narrowest ring for it, or for a given width the largest scale up to that one. Throws
 * FlError `bad-parameters` where there is none.
 */
export function planEncoding(wishes: EncodingWishes): UpdateEncoding {
  const { width, unitsInUpdate = 1, ...terms } = wishes;
  const root = Math.sqrt(terms.dimension);
  const steps = Math.max(FEWEST_STEPS, root * (terms.noise === null ? PLAIN_STEPS_PER_ROOT : NOISED_STEPS_PER_ROOT));
  const norm = terms.clip * (terms.clipOf === 'unit' ? unitsInUpdate : 1);
  const load = (scale: number) => {
    const variance = terms.noise === null ? 0 : varianceEach({ ...terms, scale }, terms.noise);
    return { dimension: terms.dimension, clients: terms.clients, norm, scale, variance };
  };
  const fits = (scale: number) =>
    load(scale).variance <= MOST_VARIANCE && (width === undefined || fitsRing({ ...load(scale), width }));
  const scale = largestUpTo(steps / terms.clip, fits);
  if (scale === undefined)
    throw new FlError('bad-parameters', 'no scale holds so much noise on so many numbers', {
      next: 'Take less noise, more clients that add some, or more bits.',
    });
  return encodingOf({ ...terms, scale, width: width ?? chooseWidth(load(scale)).width });
}

/** The largest scale up to `most` that fits, to four digits. */
function largestUpTo(most: number, fits: (scale: number) => boolean): number | undefined {
  const wanted = Number(most.toPrecision(4));
  if (fits(wanted)) return wanted;
  let [low, high] = [0, wanted];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  const near = Number(low.toPrecision(4));
  const found = near <= low ? near : Number((low * 0.999).toPrecision(4));
  return found > 0 && fits(found) ? found : undefined;
}
