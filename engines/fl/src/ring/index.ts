export { addMask, addMasks, MASK_SEED_BYTES, maskSeed, type MaskSeed, type SignedMask } from './mask.ts';
export { addPacked, packedBytes, packRing, unpackRing } from './packing.ts';
export { reduce, RING_WIDTHS, ringMask, ringWidth, type RingWidth } from './ring-width.ts';
