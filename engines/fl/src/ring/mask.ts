import type { Brand, Secret } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { KeyStream, STREAM_SEED_BYTES } from './key-stream.ts';
import { addRuns } from './packed-runs.ts';
import type { RingWidth } from './ring-width.ts';

/** Bytes of a seed. */
export const MASK_SEED_BYTES = STREAM_SEED_BYTES;
/** What two clients agreed on, or one keeps for itself: all of a mask follows from it. Used for one round only. */
export type MaskSeed = Brand<Secret, 'MaskSeed'>;

/** A mask and whether it is added or taken away. */
export interface SignedMask {
  readonly seed: MaskSeed;
  readonly sign: 1 | -1;
}

/** The seed of 32 uniformly random secret bytes. Throws FlError `bad-size` for another length. */
export function maskSeed(secret: Secret): MaskSeed {
  if (secret.length !== MASK_SEED_BYTES) throw new FlError('bad-size', 'the seed of a mask has 32 bytes');
  return secret as MaskSeed;
}

/**
 * Adds (`sign` 1) or takes away (−1) the mask of `seed`, value for value modulo 2^32: the values are the stream of AES-128-CTR (NIST SP 800-38A §6.5), whose key and first counter block are
 * the seed's halves, read as packed values of the ring's width. Throws FlError `wiped` for a seed that was destroyed.
 */
export function addMask(accumulator: Uint32Array, { seed, sign }: SignedMask, width: RingWidth): void {
  addMasks(accumulator, [{ seed, sign }], width);
}

/** As {@link addMask} for many at once, which is faster than one after the other: the values pass through the cache once. */
export function addMasks(accumulator: Uint32Array, masks: readonly SignedMask[], width: RingWidth): void {
  const runs = masks.map(({ seed, sign }) => {
    const stream = streamOf(seed);
    return { sign, write: (target: Uint8Array) => stream.fill(target) };
  });
  addRuns(accumulator, runs, width);
}

function streamOf(seed: MaskSeed): KeyStream {
  if (seed.wiped) throw new FlError('wiped', 'the seed of this mask was destroyed');
  return new KeyStream(seed.expose());
}
