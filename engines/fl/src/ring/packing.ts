import { FlError } from '../fl-error.ts';
import { withKernels } from '../kernels/compiled.ts';
import { addRuns, type PackedRun } from './packed-runs.ts';
import { packedBytes, type RingWidth } from './ring-width.ts';

/** Values at a time; a multiple of 8, so that each piece is whole bytes. */
const PIECE_WORDS = 16_384;

/**
 * Values of w bits without a gap: bit b of value i is bit (i·w + b) mod 8, from the least, of byte ⌊(i·w + b) / 8⌋; the last byte's spare bits are zero. Higher bits
 * of the words are dropped.
 */
export function packRing(values: Uint32Array, width: RingWidth): Uint8Array {
  const bytes = new Uint8Array(packedBytes(values.length, width));
  const most = Math.min(PIECE_WORDS, values.length);
  withKernels([4 * most, 4 * most], ({ packWords, at: [words = 0, packed = 0], buffer }) => {
    const held = new Uint32Array(buffer, words, most);
    for (let start = 0; start < values.length; start += PIECE_WORDS) {
      const piece = values.subarray(start, start + PIECE_WORDS);
      held.set(piece);
      packWords(words, packed, piece.length, width);
      bytes.set(new Uint8Array(buffer, packed, packedBytes(piece.length, width)), (start * width) / 8);
    }
  });
  return bytes;
}

/** The `count` values that {@link packRing} packed. Throws FlError `bad-size` for another length and `bad-encoding` for spare bits that are set. */
export function unpackRing(bytes: Uint8Array, width: RingWidth, count: number): Uint32Array {
  if (!Number.isSafeInteger(count) || count < 0 || bytes.length !== packedBytes(count, width))
    throw new FlError('bad-size', 'the packed values have another length than agreed');
  const values = new Uint32Array(count);
  addPacked(values, bytes, width, 0);
  return values;
}

/**
 * Adds packed values to `accumulator` from value `offset` on, modulo 2^32, and returns how many they were: a piece of an upload that holds whole values goes straight
 * into the sum. Throws FlError `bad-size` where they do not fit and `bad-encoding` for spare bits that are set; then nothing was added.
 */
export function addPacked(accumulator: Uint32Array, bytes: Uint8Array, width: RingWidth, offset: number): number {
  const count = packedCount(bytes, width);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + count > accumulator.length)
    throw new FlError('bad-size', 'there is no room for these values');
  addVectors(accumulator.subarray(offset, offset + count), [bytes], width);
  return count;
}

/** Adds packed vectors of the accumulator's length to it, modulo 2^32: several at once are faster than one after the other. Throws as {@link addPacked} does. */
export function addVectors(accumulator: Uint32Array, vectors: readonly Uint8Array[], width: RingWidth): void {
  for (const bytes of vectors)
    if (packedCount(bytes, width) !== accumulator.length)
      throw new FlError('bad-size', 'a packed vector has another length than the sum');
  const runs = vectors.map((bytes): PackedRun => ({
    sign: 1,
    write: (target, from) => target.set(bytes.subarray(from, from + target.length)),
  }));
  addRuns(accumulator, runs, width);
}

/** How many values these bytes hold. Throws FlError `bad-size` where they are more bytes than the values take, and `bad-encoding` for spare bits that are set. */
export function packedCount(bytes: Uint8Array, width: RingWidth): number {
  const count = Math.floor((8 * bytes.length) / width);
  const spare = 8 * bytes.length - count * width;
  if (spare >= 8) throw new FlError('bad-size', 'packed values end within the last byte');
  if (spare > 0 && (bytes[bytes.length - 1] as number) >>> (8 - spare) !== 0)
    throw new FlError('bad-encoding', 'the spare bits of packed values are zero');
  return count;
}
