import { KERNELS } from './generated/kernels.ts';

/** As much of WebAssembly's interface as is used: it is in no library of types but the browsers'. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: { initial: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly Instance: new (module: object, imports: object) => { readonly exports: KernelCalls };
};

/** The functions of `kernels/`; numbers are byte offsets into the memory, and counts. Each source says what they are multiples of. */
export interface KernelCalls {
  readonly addWords: (target: number, words: number, count: number) => void;
  readonly subtractWords: (target: number, words: number, count: number) => void;
  readonly packWords: (values: number, bytes: number, count: number, width: number) => void;
  readonly addPackedWords: (target: number, bytes: number, count: number, shape: number) => void;
  readonly addFourPacked: (target: number, bytes: number, count: number, shape: number) => void;
  readonly maskWords: (values: number, count: number, mask: number) => void;
  readonly flipSigns: (values: number, bits: number, count: number, factor: number) => void;
  readonly transform: (values: number, count: number) => void;
  readonly sumOfSquares: (values: number, count: number) => number;
  readonly scaleValues: (values: number, count: number, factor: number) => void;
  readonly roundValues: (values: number, words: number, rounded: number, count: number) => number;
  readonly liftWords: (words: number, values: number, count: number, spare: number) => void;
  readonly addSkellam: (rounded: number, random: number, count: number, table: number) => void;
  readonly addScaledBlock: (sum: number, block: number, factor: number) => void;
  readonly evaluateShares: (coefficients: number, terms: number, values: number, shares: number) => void;
}

/** The kernels over one memory, with as many places in it as were asked for. */
export interface Kernels extends KernelCalls {
  /** Byte offsets, in the order of the sizes. */
  readonly at: readonly number[];
  readonly buffer: ArrayBuffer;
}

const PAGE_BYTES = 65_536;
/** Nothing is at offset zero. */
const FIRST = 1_024;
/** Vectors are read a little past their end. */
const GAP = 128;
/** A memory that is not larger stays for the next call. */
const MOST_KEPT_PAGES = 256;

interface Place {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly calls: KernelCalls;
}

let compiled: object | undefined;
let kept: Place | undefined;

/**
 * Runs `work` on kernels whose memory has a place for each of `sizes` (bytes), all zero, 16-byte aligned. The memory is wiped afterwards, so secrets may be in it; its views are not to be kept.
 */
export function withKernels<T>(sizes: readonly number[], work: (kernels: Kernels) => T): T {
  let end = FIRST;
  const at = sizes.map((size) => {
    const start = end;
    end = Math.ceil((start + size + GAP) / 16) * 16;
    return start;
  });
  const place = placeOf(Math.ceil(end / PAGE_BYTES));
  try {
    return work({ ...place.calls, at, buffer: place.memory.buffer });
  } finally {
    new Uint8Array(place.memory.buffer, 0, end).fill(0);
    if (place.memory.buffer.byteLength <= MOST_KEPT_PAGES * PAGE_BYTES) kept = place;
  }
}

function placeOf(pages: number): Place {
  // Taken away while it is used: work within work has a place of its own.
  const place = kept;
  kept = undefined;
  if (place !== undefined && pages <= MOST_KEPT_PAGES) {
    const missing = pages - place.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) place.memory.grow(missing);
    return place;
  }
  compiled ??= new WebAssembly.Module(Buffer.from(KERNELS, 'base64'));
  const memory = new WebAssembly.Memory({ initial: pages });
  return { memory, calls: new WebAssembly.Instance(compiled, { env: { memory } }).exports };
}
