import { type Kernels } from '../kernels/compiled.ts';
import { RING_WIDTHS, type RingWidth } from './ring-width.ts';

/** Values whose bits end with a whole byte, whatever their width. */
const WHOLE_BYTES = 8;
const SHAPE_BYTES = 112;
/** Bytes of {@link packedShapes}. */
export const SHAPES_BYTES = 2 * SHAPE_BYTES;

/** Where the kernels find words, packed values and the shapes of their width. */
interface PackedPlaces {
  readonly words: number;
  readonly packed: number;
  readonly shapes: number;
}

/** Where eight packed values lie in vectors, as the kernel `addPackedWords` wants to know it: first to add them, then to take them away. */
export function packedShapes(width: RingWidth): Uint8Array {
  const shapes = new Uint8Array(SHAPES_BYTES);
  const view = new DataView(shapes.buffer);
  for (let value = 0; value < WHOLE_BYTES; value += 1) {
    const half = value >> 2;
    const bit = value * width - half * 8 * (width >> 1);
    const at = 48 * half + 4 * (value & 3);
    for (let byte = 0; byte < 4; byte += 1) {
      shapes[at + byte] = (bit >> 3) + byte;
      shapes[at + 16 + byte] = (bit >> 3) + 3 + byte;
    }
    view.setUint32(at + 32, 2 ** (8 - (bit & 7)), true);
  }
  view.setUint32(96, width, true);
  shapes.copyWithin(SHAPE_BYTES, 0, SHAPE_BYTES);
  view.setInt32(SHAPE_BYTES + 100, -1, true);
  return shapes;
}

/** Adds `count` packed values to words in the kernels' memory, or takes them away. There is room for a multiple of 8 words. */
export function addPackedWords(
  kernels: Kernels,
  { words, packed, shapes }: PackedPlaces,
  count: number,
  { width, sign }: { readonly width: RingWidth; readonly sign: 1 | -1 },
): void {
  const whole = Math.ceil(count / WHOLE_BYTES) * WHOLE_BYTES;
  if (width < RING_WIDTHS.most) kernels.addPackedWords(words, packed, whole, shapes + (sign === 1 ? 0 : SHAPE_BYTES));
  else if (sign === 1) kernels.addWords(words, packed, whole);
  else kernels.subtractWords(words, packed, whole);
}
