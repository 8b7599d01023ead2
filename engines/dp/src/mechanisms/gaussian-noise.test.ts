import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { GaussianNoise } from './gaussian-noise.ts';

/** P(X = x) of the discrete Gaussian, by the definition. */
function probability(x: number, deviation: number): number {
  const mass = (at: number): number => Math.exp((-at * at) / (2 * deviation * deviation));
  let total = 0;
  for (let at = -20 * deviation; at <= 20 * deviation; at += 1) total += mass(at);
  return mass(x) / total;
}

for (const deviation of [1, 2, 5])
  test(`values of deviation ${deviation} are as frequent as the definition says (chi-square, fixed seed)`, () => {
    const count = 200_000;
    const drawn = new Int32Array(count);
    new GaussianNoise(deviation, seededRng(`gaussian noise ${deviation}`)).fill(drawn);
    const most = 3 * deviation;
    const seen = new Map<number, number>();
    for (const value of drawn) seen.set(value, (seen.get(value) ?? 0) + 1);
    let square = 0;
    for (let x = -most; x <= most; x += 1) {
      const expected = count * probability(x, deviation);
      square += ((seen.get(x) ?? 0) - expected) ** 2 / expected;
    }
    // 2·most + 1 cells and the rest: far beyond the mean of the distribution plus five deviations.
    const cells = 2 * most + 1;
    assert.ok(square < cells + 5 * Math.sqrt(2 * cells), String(square));
  });

test('a wide one has its moments and ends within some 16 deviations', () => {
  const drawn = new Int32Array(100_000);
  new GaussianNoise(4_096, seededRng('wide')).fill(drawn);
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const variance = drawn.reduce((sum, value) => sum + value * value, 0) / drawn.length;
  const fourth = drawn.reduce((sum, value) => sum + (value / 4_096) ** 4, 0) / drawn.length;
  assert.ok(Math.abs(mean) < 60, String(mean));
  assert.ok(Math.abs(variance / 4_096 ** 2 - 1) < 0.02, String(variance));
  assert.ok(Math.abs(fourth - 3) < 0.2, String(fourth));
  for (const deviation of [0, 1.5, 2 ** 16])
    assert.throws(() => new GaussianNoise(deviation, seededRng('none')), RangeError);
});
