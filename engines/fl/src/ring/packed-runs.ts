import { withKernels } from '../kernels/compiled.ts';
import { addPackedWords, packedShapes, RUN_BYTES, RUNS_APART, RUNS_AT_ONCE, SHAPES_BYTES } from './packed-words.ts';
import { packedBytes, type RingWidth } from './ring-width.ts';

/** Packed values that are added or taken away. */
export interface PackedRun {
  readonly sign: 1 | -1;
  /** Writes the packed values from byte `from` on over all of `target`; asked for each piece once, in order. */
  readonly write: (target: Uint8Array, from: number) => void;
}

/** Adds all of the runs, value for value modulo 2^32. The values pass through the cache once for all of them. */
export function addRuns(accumulator: Uint32Array, runs: readonly PackedRun[], width: RingWidth): void {
  const groups = [...inFours(1, runs), ...inFours(-1, runs)];
  // A multiple of 8, so that each piece is whole bytes.
  const most = Math.min(8 * Math.floor(RUN_BYTES / width), accumulator.length);
  const held = RUNS_APART * (Math.min(RUNS_AT_ONCE, runs.length) - 1) + packedBytes(most, width);
  withKernels([SHAPES_BYTES, 4 * most, Math.max(0, held)], (kernels) => {
    const {
      at: [shapes = 0, words = 0, packed = 0],
      buffer,
    } = kernels;
    const values = new Uint32Array(buffer, words, most);
    new Uint8Array(buffer, shapes, SHAPES_BYTES).set(packedShapes(width));
    for (let start = 0; start < accumulator.length; start += most) {
      const piece = accumulator.subarray(start, start + most);
      const bytes = packedBytes(piece.length, width);
      values.set(piece);
      for (const { sign, runs: together } of groups) {
        for (const [index, { write }] of together.entries())
          write(new Uint8Array(buffer, packed + RUNS_APART * index, bytes), (start * width) / 8);
        const places = { words, packed, runs: together.length, shapes };
        addPackedWords(kernels, places, piece.length, { width, sign });
      }
      piece.set(values.subarray(0, piece.length));
    }
  });
}

function inFours(sign: 1 | -1, runs: readonly PackedRun[]): { sign: 1 | -1; runs: readonly PackedRun[] }[] {
  const same = runs.filter((run) => run.sign === sign);
  return Array.from({ length: Math.ceil(same.length / RUNS_AT_ONCE) }, (_, at) => ({
    sign,
    runs: same.slice(RUNS_AT_ONCE * at, RUNS_AT_ONCE * (at + 1)),
  }));
}
