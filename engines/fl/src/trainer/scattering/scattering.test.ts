import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { NormalNumbers } from '../normal-numbers.ts';
import { PlaneTransform, zeroPlane, type Plane } from './plane.ts';
import { scatterRows } from './prepare.ts';
import { CHANNELS, Scattering } from './scattering.ts';

const IMAGE = 12;
const PADDED = 16;
const COUNT = 3;

/** A Morlet wavelet at every place of a periodic square, from its definition alone. */
function waveletOf(scale: number, direction: number): Plane {
  const deviation = 0.8 * 2 ** scale;
  const angle = ((3 - direction) * Math.PI) / 8;
  const frequency = (0.75 * Math.PI) / 2 ** scale;
  const at = (x: number, y: number, wave: number): [number, number] => {
    let [re, im] = [0, 0];
    for (let p = x - 2 * PADDED; p <= x + 2 * PADDED; p += PADDED)
      for (let q = y - 2 * PADDED; q <= y + 2 * PADDED; q += PADDED) {
        const along = p * Math.cos(angle) + q * Math.sin(angle);
        const across = -p * Math.sin(angle) + q * Math.cos(angle);
        const height =
          Math.exp(-(along ** 2 + (across / 2) ** 2) / (2 * deviation ** 2)) / (4 * Math.PI * deviation ** 2);
        re += height * Math.cos(wave * along);
        im += height * Math.sin(wave * along);
      }
    return [re, im];
  };
  const plane = zeroPlane(PADDED);
  let [re, im, under] = [0, 0, 0];
  for (let place = 0; place < PADDED ** 2; place += 1) {
    const [x, y] = [Math.floor(place / PADDED), place % PADDED];
    const value = at(x, y, frequency);
    [plane.re[place], plane.im[place]] = value;
    [re, im, under] = [re + value[0], im + value[1], under + at(x, y, 0)[0]];
  }
  for (let place = 0; place < PADDED ** 2; place += 1) {
    const [height] = at(Math.floor(place / PADDED), place % PADDED, 0);
    plane.re[place] = (plane.re[place] ?? 0) - (re / under) * height;
    plane.im[place] = (plane.im[place] ?? 0) - (im / under) * height;
  }
  return plane;
}

/** Moduli of a periodic convolution, term by term. */
function moduli(values: Float64Array, wavelet: Plane): Float64Array {
  return values.map((_, place) => {
    const [x, y] = [Math.floor(place / PADDED), place % PADDED];
    let [re, im] = [0, 0];
    for (let other = 0; other < values.length; other += 1) {
      const row = (x - Math.floor(other / PADDED) + PADDED) % PADDED;
      const at = row * PADDED + ((y - (other % PADDED) + PADDED) % PADDED);
      re += (values[other] ?? 0) * (wavelet.re[at] ?? 0);
      im += (values[other] ?? 0) * (wavelet.im[at] ?? 0);
    }
    return Math.hypot(re, im);
  });
}

/** Gaussian averages of deviation 1.6 around every fourth place. */
function averaged(values: Float64Array): number[] {
  const weight = (distance: number): number =>
    [-2, -1, 0, 1, 2].reduce((sum, copy) => sum + Math.exp(-((distance + copy * PADDED) ** 2) / (2 * 1.6 ** 2)), 0);
  return Array.from({ length: COUNT ** 2 }, (_, at) => {
    const [top, left] = [4 * Math.floor(at / COUNT), 4 * (at % COUNT)];
    let [sum, weights] = [0, 0];
    values.forEach((value, place) => {
      const here = weight(Math.floor(place / PADDED) - top) * weight((place % PADDED) - left);
      sum += here * value;
      weights += here;
    });
    return sum / weights;
  });
}

function drawn(): Float32Array {
  const normal = new NormalNumbers(seededRng('scattering'));
  return Float32Array.from({ length: IMAGE ** 2 }, () => normal.next());
}

/** The image, mirrored at its far edges up to half of the margin and from its near ones for the rest. */
function padded(image: Float32Array): Float64Array {
  const source = (place: number): number =>
    place < IMAGE ? place : place < IMAGE + 2 ? 2 * IMAGE - 2 - place : PADDED - place;
  return Float64Array.from(
    { length: PADDED ** 2 },
    (_, place) => image[source(Math.floor(place / PADDED)) * IMAGE + source(place % PADDED)] ?? NaN,
  );
}

test('a transform is the sum that defines it, and its inverse undoes it', () => {
  const side = 8;
  const plane = zeroPlane(side);
  const normal = new NormalNumbers(seededRng('plane'));
  for (let at = 0; at < side * side; at += 1) [plane.re[at], plane.im[at]] = [normal.next(), normal.next()];
  const before = { re: plane.re.slice(), im: plane.im.slice() };
  new PlaneTransform(side).forward(plane);
  for (const [u, v] of [
    [0, 0],
    [1, 0],
    [3, 5],
    [7, 2],
  ] as const) {
    let [re, im] = [0, 0];
    for (let at = 0; at < side * side; at += 1) {
      const angle = (-2 * Math.PI * (u * Math.floor(at / side) + v * (at % side))) / side;
      re += (before.re[at] ?? 0) * Math.cos(angle) - (before.im[at] ?? 0) * Math.sin(angle);
      im += (before.re[at] ?? 0) * Math.sin(angle) + (before.im[at] ?? 0) * Math.cos(angle);
    }
    assert.ok(Math.abs(re - (plane.re[u * side + v] ?? NaN)) < 1e-9);
    assert.ok(Math.abs(im - (plane.im[u * side + v] ?? NaN)) < 1e-9);
  }
  new PlaneTransform(side).inverse(plane);
  plane.re.forEach((value, at) => assert.ok(Math.abs(value - (before.re[at] ?? NaN)) < 1e-9));
  assert.throws(() => new PlaneTransform(12), RangeError);
});

test('coefficients of both orders are those of the definition', () => {
  const image = drawn();
  const scattering = new Scattering(IMAGE);
  const found = new Float32Array(scattering.length);
  scattering.run(image, 0, found, 0);
  assert.equal(found.length, CHANNELS * COUNT ** 2);
  const values = padded(image);
  const close = (channel: number, expected: readonly number[], slip: number): void =>
    expected.forEach((value, at) => {
      const is = found[channel * COUNT ** 2 + at] ?? NaN;
      assert.ok(Math.abs(is - value) <= slip, `channel ${channel}: ${is} ${value}`);
    });
  close(0, averaged(values), 1e-5);
  for (const [scale, direction] of [
    [0, 0],
    [0, 5],
    [1, 3],
  ] as const) {
    const first = moduli(values, waveletOf(scale, direction));
    close(1 + 8 * scale + direction, averaged(first), 1e-5);
    if (scale > 0) continue;
    const second = moduli(first, waveletOf(1, 6));
    // Every second place of it is averaged, which loses a little.
    const size = Math.max(...averaged(second));
    close(17 + 8 * direction + 6, averaged(second), 0.1 * size);
  }
});

test('rows are brought to mean 0 and variance 1 by themselves, group by group', () => {
  const rows = Float32Array.from([...drawn(), ...drawn().map((value) => 3 * value + 1)]);
  const images = { rows, labels: Uint16Array.of(1, 0), inputs: IMAGE ** 2 };
  const both = scatterRows(images, 27);
  const alone = scatterRows({ rows: rows.subarray(0, IMAGE ** 2), labels: Uint16Array.of(1), inputs: IMAGE ** 2 }, 27);
  assert.deepEqual(both.rows.subarray(0, both.inputs), alone.rows);
  assert.deepEqual([...both.labels], [1, 0]);
  const group = both.rows.subarray(0, both.inputs / 27);
  const mean = group.reduce((sum, value) => sum + value, 0) / group.length;
  const variance = group.reduce((sum, value) => sum + (value - mean) ** 2, 0) / group.length;
  assert.ok(Math.abs(mean) < 1e-5 && Math.abs(variance - 1) < 0.01, `${mean} ${variance}`);
  assert.throws(() => scatterRows(images, 49), { code: 'bad-parameters' });
  assert.throws(() => scatterRows({ ...images, inputs: 10 }, 27), { code: 'bad-size' });
});
