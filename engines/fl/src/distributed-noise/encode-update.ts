import type { Rng } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { withKernels, type Kernels } from '../kernels/compiled.ts';
import { KeyStream } from '../ring/key-stream.ts';
import { ringMask, ringWidth } from '../ring/index.ts';
import { rotate, SIGN_BYTES } from './rotation.ts';
import { ROUNDING_BYTES, roundWithin } from './rounding.ts';
import { addSkellam, drawsOf, NOISE_BYTES, skellamTable } from './skellam-noise.ts';
import type { UpdateEncoding } from './update-encoding.ts';

/** Of random bytes at a time; a number takes 32 of them at the most, for its noise. */
const SCRATCH_BYTES = Math.max(SIGN_BYTES, ROUNDING_BYTES, NOISE_BYTES);
const MOST_BYTES_EACH = 32;

/**
 * A client's update as `dimension` values of the ring: clipped to the norm, rotated by the public `seed` of the round, scaled, rounded up or down at random so that the mean is right,
 * with Skellam noise on each. The same path without noise is plain quantisation. Throws FlError `bad-update` for a number that is not finite and `bad-size` for another
 * length.
 */
export function encodeUpdate(
  update: Float32Array | Float64Array,
  encoding: UpdateEncoding,
  seed: Uint8Array,
  rng: Rng,
): Uint32Array {
  const { dimension, variance, width } = encoding;
  if (update.length !== dimension) throw new FlError('bad-size', 'the update has another length than agreed');
  const stream = KeyStream.from(rng);
  const draws = variance === 0 ? 0 : drawsOf(variance);
  const noise = draws === 0 ? new Uint8Array() : skellamTable(variance / draws);
  const scratch = Math.min(SCRATCH_BYTES, MOST_BYTES_EACH * dimension);
  return withKernels([8 * dimension, 4 * dimension, scratch, noise.length], (kernels) => {
    const [values = 0, rounded = 0, random = 0, table = 0] = kernels.at;
    new Float64Array(kernels.buffer, values, dimension).set(update);
    clip(kernels, values, encoding);
    rotate(kernels, { values, dimension, signs: random }, seed);
    roundWithin(kernels, { values, rounded, random }, encoding, stream);
    new Uint8Array(kernels.buffer, table, noise.length).set(noise);
    for (let draw = 0; draw < draws; draw += 1)
      addSkellam(kernels, { at: rounded, count: dimension }, { table, random }, stream);
    kernels.maskWords(rounded, dimension, ringMask(ringWidth(width)));
    return new Uint32Array(kernels.buffer, rounded, dimension).slice();
  });
}

/** Times the scale, with a norm of at most `norm` times the scale. */
function clip({ sumOfSquares, scaleValues }: Kernels, values: number, encoding: UpdateEncoding): void {
  const { dimension, norm, scale } = encoding;
  // Past an odd end lies a zero.
  const even = dimension + (dimension % 2);
  const length = Math.sqrt(sumOfSquares(values, even));
  if (!Number.isFinite(length))
    throw new FlError('bad-update', 'an update has a number that is not finite, or far too large', {
      next: 'Look for a loss that is NaN; a smaller learning rate may help.',
    });
  scaleValues(values, even, scale * (length > norm ? norm / length : 1));
}
