export { addMask, addMasks, MASK_SEED_BYTES, maskSeed, type MaskSeed, type SignedMask } from './mask.ts';
export { addPacked, addVectors, packedCount, packRing, unpackRing } from './packing.ts';
export { packedBytes, reduce, RING_WIDTHS, ringMask, ringWidth, type RingWidth } from './ring-width.ts';
