import { type Kernels } from '../kernels/compiled.ts';
import { RING_WIDTHS, ringMask, type RingWidth } from './ring-width.ts';

/** Values whose bits end with a whole byte, whatever their width. */
const WHOLE_BYTES = 8;
const SHAPE_BYTES = 144;
/** Bytes of {@link packedShapes}. */
export const SHAPES_BYTES = 2 * SHAPE_BYTES;
/** Runs of packed values that are best added at once. */
export const RUNS_AT_ONCE = 4;
/** The most bytes of a run: what lies in the cache beside the values is the fastest by far, and each call for more costs. */
export const RUN_BYTES = 65_536;
/** Bytes from one run to the next, as the kernel `addFourPacked` has them: vectors are read a little past their end. */
export const RUNS_APART = RUN_BYTES + 128;
/** {@link RUNS_AT_ONCE} values of so many bits add up to 24, which lie in four bytes wherever they begin. */
const WIDEST_AT_ONCE = 22;

/** Where the kernels find words, packed values and the shapes of their width. */
interface PackedPlaces {
  readonly words: number;
  /** The first run. */
  readonly packed: number;
  /** How many there are. */
  readonly runs: number;
  readonly shapes: number;
}

/** Where eight packed values lie in vectors, as the kernels want to know it: first to add them, then to take them away. */
export function packedShapes(width: RingWidth): Uint8Array {
  const shapes = new Uint8Array(SHAPES_BYTES);
  const view = new DataView(shapes.buffer);
  for (let value = 0; value < WHOLE_BYTES; value += 1) {
    const half = value >> 2;
    const bit = value * width - half * 8 * (width >> 1);
    const lane = 4 * (value & 3);
    const at = 48 * half + lane;
    for (let byte = 0; byte < 4; byte += 1) {
      shapes[at + byte] = (bit >> 3) + byte;
      shapes[at + 16 + byte] = (bit >> 3) + 3 + byte;
    }
    view.setUint32(at + 32, 2 ** (8 - (bit & 7)), true);
    view.setUint32(112 + 16 * half + lane, ringMask(width) << (bit & 7), true);
  }
  view.setUint32(96, width, true);
  shapes.copyWithin(SHAPE_BYTES, 0, SHAPE_BYTES);
  view.setInt32(SHAPE_BYTES + 100, -1, true);
  return shapes;
}

/** Adds `count` packed values of each run to words in the kernels' memory, or takes them away. There is room for a multiple of 8 words. */
export function addPackedWords(
  kernels: Kernels,
  { words, packed, runs, shapes }: PackedPlaces,
  count: number,
  { width, sign }: { readonly width: RingWidth; readonly sign: 1 | -1 },
): void {
  const whole = Math.ceil(count / WHOLE_BYTES) * WHOLE_BYTES;
  const shape = shapes + (sign === 1 ? 0 : SHAPE_BYTES);
  if (runs === RUNS_AT_ONCE && width <= WIDEST_AT_ONCE) {
    kernels.addFourPacked(words, packed, whole, shape);
    return;
  }
  for (let run = packed; run < packed + RUNS_APART * runs; run += RUNS_APART)
    if (width < RING_WIDTHS.most) kernels.addPackedWords(words, run, whole, shape);
    else if (sign === 1) kernels.addWords(words, run, whole);
    else kernels.subtractWords(words, run, whole);
}
