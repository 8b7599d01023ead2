import type { Rng } from '@ringfence/base';
import { GaussianNoise } from '@ringfence/dp/mechanisms';
import { roundedSensitivity } from '../distributed-noise/index.ts';
import { gridStep, MOST_UNITS } from './clipped-sum.ts';

/** The noise's standard deviation in steps of the grid that sums are rounded to: fine enough that rounding adds some 0.3 % to the sensitivity of 40,000 numbers. */
const DEVIATION = 4_096;

/** How a sum of clipped gradients is released. */
export interface NoiseTerms {
  readonly dimension: number;
  /** L2 norm of what one row adds at the most. */
  readonly clip: number;
  /** Standard deviation of the noise in clipping norms, rounding's share included. */
  readonly multiplier: number;
}

/**
 * Releases sums with Gaussian noise in whole numbers: each coordinate is put on a grid, up or down at random (with one random offset for all rows, so that one row moves it by its own rounding, Kairouz, Liu,
 * Steinke 2021, proposition 26), and gets a discrete Gaussian value, so nothing of a float's low bits is released. It is counted as the Gaussian
 * mechanism with `multiplier`: at 4,096 steps of the grid in a deviation, the two curves are the same to all digits that an accountant has (Canonne, Kamath, Steinke 2020, section 2).
 */
export class NoisedSum {
  readonly #scale: number;
  readonly #step: number;
  readonly #noise: GaussianNoise;
  readonly #rng: Rng;
  readonly #drawn: Int32Array;

  constructor({ dimension, clip, multiplier }: NoiseTerms, rng: Rng) {
    this.#scale = scaleFor({ dimension, clip, multiplier });
    this.#step = gridStep(clip);
    this.#noise = new GaussianNoise(DEVIATION, rng);
    this.#rng = rng;
    this.#drawn = new Int32Array(dimension);
  }

  /** What is released of a sum of whole steps of `gridStep(clip)`. */
  release(sum: Float64Array): Float64Array {
    this.#noise.fill(this.#drawn);
    const bytes = this.#rng.bytes(4 * sum.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return sum.map((steps, at) => {
      const offset = view.getUint32(4 * at) / 2 ** 32;
      const whole = Math.floor(steps * this.#step * this.#scale + offset) + (this.#drawn[at] as number);
      return whole / this.#scale;
    });
  }
}

/** The largest scale with which {@link DEVIATION} is `multiplier` times the rounded sensitivity. */
function scaleFor({ dimension, clip, multiplier }: NoiseTerms): number {
  let [low, high] = [0, DEVIATION / (multiplier * clip)];
  for (let step = 0; step < 50; step += 1) {
    const scale = (low + high) / 2;
    const { l2 } = roundedSensitivity({ dimension, clipOf: 'unit', clip, scale, norm: MOST_UNITS * clip });
    if (multiplier * l2 > DEVIATION) high = scale;
    else low = scale;
  }
  if (low === 0) throw new RangeError('so much noise leaves nothing of the sum on the grid');
  return low;
}
