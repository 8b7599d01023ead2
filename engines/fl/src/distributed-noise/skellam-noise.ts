import { poissonTable } from '@ringfence/dp/mechanisms';
import type { Kernels } from '../kernels/compiled.ts';
import type { KeyStream } from '../ring/key-stream.ts';

/** First entries for each of the numbers that 12 bits are, and one more. */
const GUIDES = 4_097;
/** kernels/skellam.ts has the same. */
const GUIDE_BYTES = 16_400;
const ENTRY_BYTES = 16;
/** A value takes two numbers of 128 bits. */
const BYTES_EACH = 32;
/** Bytes of random numbers drawn at a time. */
export const NOISE_BYTES = 65_536;
const PIECE = NOISE_BYTES / BYTES_EACH;

/** The widest table. */
export const MOST_DRAWN_VARIANCE = 2 ** 27;
/** Sums of so many draws at the most make wider noise. */
export const MOST_DRAWS = 16;

/** Draws of equal variance that make up noise of `variance`: the sum of Skellam variables is one again. */
export function drawsOf(variance: number): number {
  return Math.max(1, Math.ceil(variance / MOST_DRAWN_VARIANCE));
}

let last: { readonly variance: number; readonly bytes: Uint8Array } | undefined;

/**
 * The table that the kernel draws Skellam noise of `variance` (even, 2 to 2^27) by: the one of {@link poissonTable}, with a guide before it. The last one is kept: clients of one federation all have
 * the same.
 */
export function skellamTable(variance: number): Uint8Array {
  if (last?.variance === variance) return last.bytes;
  const { high, low } = poissonTable(variance / 2);
  const bytes = new Uint8Array(GUIDE_BYTES + ENTRY_BYTES * high.length);
  const guide = new Uint32Array(bytes.buffer, 0, GUIDES);
  const entries = new BigUint64Array(bytes.buffer, GUIDE_BYTES);
  // A number whose first bits are k lies at or after the first entry that is not below all of them, and at or before that of k + 1.
  for (let [at, k] = [0, 0]; at < high.length; at += 1) {
    for (; k < GUIDES && (high[at] as bigint) >> 52n >= BigInt(k); k += 1) guide[k] = at;
    if (at === high.length - 1) guide.fill(at, k);
    entries[2 * at] = high[at] as bigint;
    entries[2 * at + 1] = low[at] as bigint;
  }
  last = { variance, bytes };
  return bytes;
}

/** Adds noise to `count` words; `table` and `random` are where {@link skellamTable} and a place of {@link NOISE_BYTES} are in the kernels' memory. */
export function addSkellam(
  kernels: Kernels,
  words: { readonly at: number; readonly count: number },
  { table, random }: { readonly table: number; readonly random: number },
  stream: KeyStream,
): void {
  for (let start = 0; start < words.count; start += PIECE) {
    const count = Math.min(PIECE, words.count - start);
    stream.fill(new Uint8Array(kernels.buffer, random, BYTES_EACH * count));
    kernels.addSkellam(words.at + 4 * start, random, count, table);
  }
}
