import type { Brand } from '@ringfence/base';
import { FlError } from '../fl-error.ts';

/** Bits w of the ring Z_2^w that a round sums in. */
export type RingWidth = Brand<number, 'RingWidth'>;

/** The least and the most bits of a ring. */
export const RING_WIDTHS = { least: 8, most: 32 } as const;

/** The width of `bits`. Throws FlError `bad-parameters` unless it is a whole number from 8 to 32. */
export function ringWidth(bits: number): RingWidth {
  if (!Number.isInteger(bits) || bits < RING_WIDTHS.least || bits > RING_WIDTHS.most)
    throw new FlError('bad-parameters', 'a ring has 8 to 32 bits');
  return bits as RingWidth;
}

/** The low w bits, all set. */
export function ringMask(width: RingWidth): number {
  return 0xffff_ffff >>> (32 - width);
}

/** Bytes that `count` values of w bits take: as many as hold all bits. */
export function packedBytes(count: number, width: RingWidth): number {
  return Math.ceil((count * width) / 8);
}

/** Brings words that were added modulo 2^32 down to the ring, in place: 2^w divides 2^32, so once at the end is enough. */
export function reduce(values: Uint32Array, width: RingWidth): void {
  if (width === RING_WIDTHS.most) return;
  const mask = ringMask(width);
  for (let at = 0; at < values.length; at += 1) values[at] = (values[at] as number) & mask;
}
