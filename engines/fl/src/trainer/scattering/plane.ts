/** A square of complex numbers, row by row. */
export interface Plane {
  readonly side: number;
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** A plane of zeros. */
export function zeroPlane(side: number): Plane {
  return { side, re: new Float64Array(side * side), im: new Float64Array(side * side) };
}

/** Fourier transforms of planes of one side, a power of two, in place (Cooley and Tukey, radix 2); the inverse is scaled by 1/side². */
export class PlaneTransform {
  readonly #side: number;
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;
  readonly #reversed: Uint32Array;

  /** Throws RangeError for a side that is no power of two above 1. */
  constructor(side: number) {
    const bits = Math.log2(side);
    if (!Number.isInteger(bits) || bits < 1) throw new RangeError('a side is a power of two above 1');
    this.#side = side;
    this.#cosines = Float64Array.from({ length: side / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / side));
    this.#sines = Float64Array.from({ length: side / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / side));
    this.#reversed = Uint32Array.from({ length: side }, (_, at) => {
      let turned = 0;
      for (let bit = 0; bit < bits; bit += 1) turned |= ((at >> bit) & 1) << (bits - 1 - bit);
      return turned;
    });
  }

  forward(plane: Plane): void {
    this.#both(plane.re, plane.im);
  }

  /** The forward transform with real and imaginary parts exchanged, before and after. */
  inverse({ re, im }: Plane): void {
    this.#both(im, re);
    const scale = 1 / (this.#side * this.#side);
    for (let at = 0; at < re.length; at += 1) {
      re[at] = (re[at] as number) * scale;
      im[at] = (im[at] as number) * scale;
    }
  }

  #both(re: Float64Array, im: Float64Array): void {
    for (let pass = 0; pass < 2; pass += 1) {
      this.#columns(re, im);
      turn(re, this.#side);
      turn(im, this.#side);
    }
  }

  /** All columns at once: the innermost loop runs along two rows. */
  #columns(re: Float64Array, im: Float64Array): void {
    const side = this.#side;
    for (let row = 0; row < side; row += 1) {
      const other = this.#reversed[row] as number;
      if (other <= row) continue;
      exchange(re, row * side, other * side, side);
      exchange(im, row * side, other * side, side);
    }
    for (let half = 1; half < side; half *= 2)
      for (let row = 0; row < side; row += 1) {
        if ((row & half) !== 0) continue;
        const angle = (row & (half - 1)) * (side / (2 * half));
        const [c, s] = [this.#cosines[angle] as number, this.#sines[angle] as number];
        butterflies(re, im, { side, one: row * side, two: (row + half) * side, c, s });
      }
  }
}

interface Pair {
  readonly side: number;
  readonly one: number;
  readonly two: number;
  readonly c: number;
  readonly s: number;
}

function butterflies(re: Float64Array, im: Float64Array, { side, one, two, c, s }: Pair): void {
  for (let x = 0; x < side; x += 1) {
    const a = re[two + x] as number;
    const b = im[two + x] as number;
    const p = a * c + b * s;
    const q = b * c - a * s;
    const u = re[one + x] as number;
    const v = im[one + x] as number;
    re[two + x] = u - p;
    im[two + x] = v - q;
    re[one + x] = u + p;
    im[one + x] = v + q;
  }
}

function exchange(values: Float64Array, one: number, two: number, length: number): void {
  for (let at = 0; at < length; at += 1) {
    const kept = values[one + at] as number;
    values[one + at] = values[two + at] as number;
    values[two + at] = kept;
  }
}

function turn(values: Float64Array, side: number): void {
  for (let y = 1; y < side; y += 1)
    for (let x = 0; x < y; x += 1) {
      const kept = values[y * side + x] as number;
      values[y * side + x] = values[x * side + y] as number;
      values[x * side + y] = kept;
    }
}
