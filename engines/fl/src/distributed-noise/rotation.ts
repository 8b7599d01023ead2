import { concatBytes, utf8 } from '@ringfence/base';
import { sha256 } from '@ringfence/crypto/sign';
import type { Kernels } from '../kernels/compiled.ts';
import { KeyStream } from '../ring/key-stream.ts';

const DOMAIN = utf8('ringfence-rotation-v1');
/** Bytes of signs drawn at a time, one bit for each number. */
export const SIGN_BYTES = 8_192;
/** The kernel turns so many signs at a time. */
const SIGNS = 8;

/** Where in the kernels' memory numbers are that are rotated, and a place of {@link SIGN_BYTES} for signs. */
export interface RotatedPlace {
  readonly values: number;
  readonly dimension: number;
  readonly signs: number;
}

interface Block {
  readonly start: number;
  readonly count: number;
  readonly pass: number;
}

/** Numbers of one Walsh-Hadamard transform: the largest power of two that is not above `dimension`. */
export function rotationBlock(dimension: number): number {
  return 2 ** Math.floor(Math.log2(dimension));
}

/**
 * Rotates numbers in place by random signs and Walsh-Hadamard transforms, so that each is of the size norm / √block whatever went in. Where the dimension is no power of two, a second
 * transform reaches over the last numbers, so none has to be added. `seed` is public; equal seeds rotate equally. Norms stay as they are, but for the last bits of a double.
 */
export function rotate(kernels: Kernels, place: RotatedPlace, seed: Uint8Array): void {
  for (const block of blocksOf(place)) {
    flipSigns(kernels, block, place.signs, seed);
    kernels.transform(block.start, block.count);
  }
}

/** Takes {@link rotate} back. */
export function unrotate(kernels: Kernels, place: RotatedPlace, seed: Uint8Array): void {
  for (const block of blocksOf(place).toReversed()) {
    kernels.transform(block.start, block.count);
    flipSigns(kernels, block, place.signs, seed);
  }
}

function blocksOf({ values, dimension }: RotatedPlace): readonly Block[] {
  const count = rotationBlock(dimension);
  const first = { start: values, count, pass: 0 };
  return count === dimension ? [first] : [first, { start: values + 8 * (dimension - count), count, pass: 1 }];
}

/**
 * Turns the signs of a block by the bits of AES-128-CTR under the hash of seed and pass, one for each number, from the least of the first byte on; divides by the root that makes the transform
 * a rotation.
 */
function flipSigns(kernels: Kernels, { start, count, pass }: Block, signs: number, seed: Uint8Array): void {
  const stream = new KeyStream(sha256(concatBytes(DOMAIN, Uint8Array.of(pass), seed)));
  const factor = 1 / Math.sqrt(count);
  const bits = new Uint8Array(kernels.buffer, signs, Math.min(SIGN_BYTES, Math.ceil(count / SIGNS)));
  if (count < SIGNS) {
    stream.fill(bits);
    const few = new Float64Array(kernels.buffer, start, count);
    for (const [at, value] of few.entries()) few[at] = (((bits[0] as number) >> at) & 1 ? -value : value) * factor;
    return;
  }
  for (let at = 0; at < count; at += SIGNS * bits.length) {
    stream.fill(bits);
    kernels.flipSigns(start + 8 * at, signs, Math.min(count - at, SIGNS * bits.length), factor);
  }
}
