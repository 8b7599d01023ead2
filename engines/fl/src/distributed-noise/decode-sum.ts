import { FlError } from '../fl-error.ts';
import { withKernels } from '../kernels/compiled.ts';
import { SIGN_BYTES, unrotate } from './rotation.ts';
import type { UpdateEncoding } from './update-encoding.ts';

/** Values lifted at a time; their words lie where the signs are later. */
const PIECE = SIGN_BYTES / 4;

/**
 * The sum of the clients' clipped updates, noise included, from the sum of their values in the ring; `seed` is the round's. Without noise it is within clients · √dimension / scale of the true one (L2), and
 * half of √(clients · dimension) / scale is what to expect. Throws FlError `bad-size` for another length.
 */
export function decodeSum(sum: Uint32Array, encoding: UpdateEncoding, seed: Uint8Array): Float64Array {
  const { dimension, width, scale } = encoding;
  if (sum.length !== dimension) throw new FlError('bad-size', 'the sum has another length than agreed');
  return withKernels([8 * dimension, SIGN_BYTES], (kernels) => {
    const [values = 0, signs = 0] = kernels.at;
    for (let start = 0; start < dimension; start += PIECE) {
      const piece = sum.subarray(start, start + PIECE);
      new Uint32Array(kernels.buffer, signs).set(piece);
      kernels.liftWords(signs, values + 8 * start, piece.length, 32 - width);
    }
    kernels.scaleValues(values, dimension + (dimension % 2), 1 / scale);
    unrotate(kernels, { values, dimension, signs }, seed);
    return new Float64Array(kernels.buffer, values, dimension).slice();
  });
}
