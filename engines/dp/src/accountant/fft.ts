/** Complex numbers, their parts apart. */
export interface ComplexArray {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

const tables = new Map<number, ComplexArray>();

/** e^(−2πik/size) for k < size/2, each by itself: no error adds up. */
function turnsOf(size: number): ComplexArray {
  const known = tables.get(size);
  if (known !== undefined) return known;
  const [re, im] = [new Float64Array(size / 2), new Float64Array(size / 2)];
  for (let k = 0; k < size / 2; k += 1) {
    re[k] = Math.cos((2 * Math.PI * k) / size);
    im[k] = -Math.sin((2 * Math.PI * k) / size);
  }
  const made = { re, im };
  tables.set(size, made);
  return made;
}

/** The discrete Fourier transform in place, of a size that is a power of two (Cooley, Tukey 1965: decimation in time, two stages in one pass). */
export function transform({ re, im }: ComplexArray): void {
  const size = re.length;
  if (size < 2) return;
  reverseBits(re, im);
  const isOdd = (31 - Math.clz32(size)) % 2 === 1;
  if (isOdd) pairs(re, im);
  const turns = turnsOf(size);
  for (let half = isOdd ? 2 : 1; half < size; half *= 4) fours({ re, im }, turns, half);
}

function pairs(re: Float64Array, im: Float64Array): void {
  for (let at = 0; at < re.length; at += 2) {
    const [x, y] = [re[at] as number, im[at] as number];
    const [u, v] = [re[at + 1] as number, im[at + 1] as number];
    re[at] = x + u;
    im[at] = y + v;
    re[at + 1] = x - u;
    im[at + 1] = y - v;
  }
}

function fours({ re, im }: ComplexArray, turns: ComplexArray, half: number): void {
  const size = re.length;
  const stride = size / (4 * half);
  for (let start = 0; start < size; start += 4 * half) {
    for (let a = start, turn = 0; a < start + half; a += 1, turn += stride) {
      const [b, c, d] = [a + half, a + 2 * half, a + 3 * half];
      const cos2 = turns.re[turn] as number;
      const sin2 = turns.im[turn] as number;
      const cos = turns.re[2 * turn] as number;
      const sin = turns.im[2 * turn] as number;
      const bx = (re[b] as number) * cos - (im[b] as number) * sin;
      const by = (re[b] as number) * sin + (im[b] as number) * cos;
      const dx = (re[d] as number) * cos - (im[d] as number) * sin;
      const dy = (re[d] as number) * sin + (im[d] as number) * cos;
      const lowX = (re[a] as number) + bx;
      const lowY = (im[a] as number) + by;
      const lessX = (re[a] as number) - bx;
      const lessY = (im[a] as number) - by;
      const sumX = (re[c] as number) + dx;
      const sumY = (im[c] as number) + dy;
      const restX = (re[c] as number) - dx;
      const restY = (im[c] as number) - dy;
      const cx = sumX * cos2 - sumY * sin2;
      const cy = sumX * sin2 + sumY * cos2;
      // A quarter turn further: times −i.
      const ex = restX * sin2 + restY * cos2;
      const ey = restY * sin2 - restX * cos2;
      re[a] = lowX + cx;
      im[a] = lowY + cy;
      re[c] = lowX - cx;
      im[c] = lowY - cy;
      re[b] = lessX + ex;
      im[b] = lessY + ey;
      re[d] = lessX - ex;
      im[d] = lessY - ey;
    }
  }
}

/** Frequencies 0 to size/2 of a real sequence of `size` values, a power of two of at least 2: a transform of half the size, its even and odd values apart. */
export function transformReal(values: Float64Array): ComplexArray {
  const half = values.length / 2;
  const [re, im] = [new Float64Array(half), new Float64Array(half)];
  for (let at = 0; at < half; at += 1) {
    re[at] = values[2 * at] as number;
    im[at] = values[2 * at + 1] as number;
  }
  transform({ re, im });
  const out = { re: new Float64Array(half + 1), im: new Float64Array(half + 1) };
  const turns = turnsOf(values.length);
  for (let k = 0; k <= half; k += 1) {
    const [at, mirror] = [k % half, (half - k) % half];
    const evenX = ((re[at] as number) + (re[mirror] as number)) / 2;
    const evenY = ((im[at] as number) - (im[mirror] as number)) / 2;
    const oddX = ((im[at] as number) + (im[mirror] as number)) / 2;
    const oddY = ((re[mirror] as number) - (re[at] as number)) / 2;
    const cos = k === half ? -1 : (turns.re[k] as number);
    const sin = k === half ? 0 : (turns.im[k] as number);
    out.re[k] = evenX + oddX * cos - oddY * sin;
    out.im[k] = evenY + oddX * sin + oddY * cos;
  }
  return out;
}

/** The real sequence whose frequencies 0 to size/2 these are. */
export function invertReal(wave: ComplexArray): Float64Array {
  const half = wave.re.length - 1;
  const turns = turnsOf(2 * half);
  const [re, im] = [new Float64Array(half), new Float64Array(half)];
  for (let k = 0; k < half; k += 1) {
    const [x, y] = [wave.re[k] as number, wave.im[k] as number];
    const [u, v] = [wave.re[half - k] as number, -(wave.im[half - k] as number)];
    const evenX = (x + u) / 2;
    const evenY = (y + v) / 2;
    const [cos, sin] = [turns.re[k] as number, -(turns.im[k] as number)];
    const oddX = ((x - u) / 2) * cos - ((y - v) / 2) * sin;
    const oddY = ((x - u) / 2) * sin + ((y - v) / 2) * cos;
    re[k] = evenX - oddY;
    im[k] = evenY + oddX;
  }
  // With its parts exchanged, a transform is the inverse, but for the scale.
  transform({ re: im, im: re });
  const values = new Float64Array(2 * half);
  for (let at = 0; at < half; at += 1) {
    values[2 * at] = (re[at] as number) / half;
    values[2 * at + 1] = (im[at] as number) / half;
  }
  return values;
}

function reverseBits(re: Float64Array, im: Float64Array): void {
  const size = re.length;
  let reversed = 0;
  for (let at = 1; at < size; at += 1) {
    let bit = size >> 1;
    for (; (reversed & bit) !== 0; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (at < reversed) {
      const x = re[at] as number;
      re[at] = re[reversed] as number;
      re[reversed] = x;
      const y = im[at] as number;
      im[at] = im[reversed] as number;
      im[reversed] = y;
    }
  }
}
