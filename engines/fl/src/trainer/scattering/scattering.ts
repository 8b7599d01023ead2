import { PlaneTransform, zeroPlane, type Plane } from './plane.ts';
import { AVERAGE_DEVIATION, averages, DIRECTIONS, SCALES, waveletBank } from './wavelets.ts';

const STEP = 2 ** SCALES;
/** One average, one for each wavelet, one for each wavelet of scale 2 after each of scale 1. */
export const CHANNELS = 1 + SCALES * DIRECTIONS + DIRECTIONS * DIRECTIONS;

/** Places a side at which coefficients are found. */
export function scatteringSide(side: number): number {
  return Math.floor(side / STEP);
}

/**
 * The scattering transform of square grey images to second order (Bruna and Mallat 2013; as Oyallon and Mallat 2015 use it: 2 scales, 8 directions):
 * averages of moduli of wavelet coefficients. Nothing in it is learnt, so it costs no privacy.
 */
export class Scattering {
  readonly #side: number;
  readonly #count: number;
  readonly #margin: number;
  readonly #whole: PlaneTransform;
  readonly #half: PlaneTransform;
  readonly #bank: readonly (readonly Float64Array[])[];
  readonly #image: Plane;
  readonly #first: Plane;
  readonly #second: Plane;
  readonly #averages: Readonly<Record<'whole' | 'half', Float64Array>>;
  readonly #columns: Float64Array;

  /** For images of `side` pixels a side. */
  constructor(side: number) {
    const padded = 2 ** Math.ceil(Math.log2(side + STEP));
    this.#side = side;
    this.#count = scatteringSide(side);
    this.#margin = (padded - side) / 2;
    this.#whole = new PlaneTransform(padded);
    this.#half = new PlaneTransform(padded / 2);
    this.#bank = waveletBank(padded);
    this.#image = zeroPlane(padded);
    this.#first = zeroPlane(padded);
    this.#second = zeroPlane(padded / 2);
    const count = this.#count;
    this.#averages = {
      whole: averages({ length: padded, count, step: STEP, deviation: AVERAGE_DEVIATION }),
      half: averages({ length: padded / 2, count, step: STEP / 2, deviation: AVERAGE_DEVIATION / 2 }),
    };
    this.#columns = new Float64Array(count * padded);
  }

  /** Values that {@link run} writes. */
  get length(): number {
    return CHANNELS * this.#count * this.#count;
  }

  /** Writes the coefficients of the image at `pixels[start…]` to `target[to…]`, channel by channel. */
  run(pixels: Float32Array, start: number, target: Float32Array, to: number): void {
    const size = this.#count * this.#count;
    this.#place(pixels, start);
    this.#average(this.#image, target, to);
    this.#whole.forward(this.#image);
    for (let scale = 0; scale < SCALES; scale += 1)
      for (let direction = 0; direction < DIRECTIONS; direction += 1) {
        const channel = 1 + scale * DIRECTIONS + direction;
        this.#filter(this.#image, this.#bank[scale]?.[direction] as Float64Array);
        this.#average(this.#first, target, to + channel * size);
        if (scale > 0) continue;
        this.#whole.forward(this.#first);
        for (let next = 0; next < DIRECTIONS; next += 1) {
          this.#filterToHalf(this.#first, this.#bank[1]?.[next] as Float64Array);
          const second = 1 + SCALES * DIRECTIONS + direction * DIRECTIONS + next;
          this.#average(this.#second, target, to + second * size);
        }
      }
  }

  /** The image from the plane's corner on; the margin around it, which is the plane's far end too, mirrors it. */
  #place(pixels: Float32Array, start: number): void {
    const { side: padded, re, im } = this.#image;
    im.fill(0);
    for (let y = 0; y < padded; y += 1)
      for (let x = 0; x < padded; x += 1)
        re[y * padded + x] = pixels[start + this.#mirrored(y) * this.#side + this.#mirrored(x)] as number;
  }

  #mirrored(place: number): number {
    const side = this.#side;
    if (place < side) return place;
    if (place < side + this.#margin) return 2 * side - 2 - place;
    return this.#image.side - place;
  }

  /** |image ∗ wavelet|, from the image's transform. */
  #filter({ re, im }: Plane, wavelet: Float64Array): void {
    const target = this.#first;
    for (let at = 0; at < wavelet.length; at += 1) {
      const gain = wavelet[at] as number;
      target.re[at] = (re[at] as number) * gain;
      target.im[at] = (im[at] as number) * gain;
    }
    this.#whole.inverse(target);
    toModuli(target);
  }

  /** The same at every second place: the transform is folded, which is to leave out every other value. */
  #filterToHalf({ side, re, im }: Plane, wavelet: Float64Array): void {
    const target = this.#second;
    const half = side / 2;
    for (let y = 0; y < half; y += 1)
      for (let x = 0; x < half; x += 1) {
        const a = y * side + x;
        const b = a + half;
        const c = a + half * side;
        const d = c + half;
        const p = wavelet[a] as number;
        const q = wavelet[b] as number;
        const r = wavelet[c] as number;
        const s = wavelet[d] as number;
        const to = y * half + x;
        target.re[to] =
          ((re[a] as number) * p + (re[b] as number) * q + (re[c] as number) * r + (re[d] as number) * s) / 4;
        target.im[to] =
          ((im[a] as number) * p + (im[b] as number) * q + (im[c] as number) * r + (im[d] as number) * s) / 4;
      }
    this.#half.inverse(target);
    toModuli(target);
  }

  #average({ side, re }: Plane, target: Float32Array, place: number): void {
    const weights = side === this.#image.side ? this.#averages.whole : this.#averages.half;
    const count = this.#count;
    const columns = this.#columns.fill(0);
    for (let row = 0; row < count; row += 1)
      for (let y = 0; y < side; y += 1) {
        const weight = weights[row * side + y] as number;
        const [to, from] = [row * side, y * side];
        for (let x = 0; x < side; x += 1)
          columns[to + x] = (columns[to + x] as number) + weight * (re[from + x] as number);
      }
    for (let row = 0; row < count; row += 1)
      for (let column = 0; column < count; column += 1) {
        let sum = 0;
        for (let x = 0; x < side; x += 1)
          sum += (weights[column * side + x] as number) * (columns[row * side + x] as number);
        target[place + row * count + column] = sum;
      }
  }
}

function toModuli({ re, im }: Plane): void {
  for (let at = 0; at < re.length; at += 1) re[at] = Math.sqrt((re[at] as number) ** 2 + (im[at] as number) ** 2);
  im.fill(0);
}
