import { DEFAULT_SEGMENT_LOG2, HEADER_BYTES } from './header.ts';
import { TAG_BYTES } from './segment-key.ts';

/** Bytes that `plaintextSize` bytes take once sealed; an empty object has one empty segment. */
export function sealedSize(plaintextSize: number, segmentLog2: number = DEFAULT_SEGMENT_LOG2): number {
  const segments = Math.max(1, Math.ceil(plaintextSize / 2 ** segmentLog2));
  return HEADER_BYTES + plaintextSize + segments * TAG_BYTES;
}
