import assert from 'node:assert/strict';
import { test } from 'node:test';
import { erfc, logErfc, massBetween, normalTails } from './normal.ts';

const close = (got: number, wanted: number, within = 4e-15): void =>
  assert.ok(Math.abs(got / wanted - 1) <= within, `${got} is not ${wanted}`);

test('the complementary error function has the values of NIST’s DLMF, table 7.2 and beyond', () => {
  for (const [x, wanted] of [
    [0.1, 0.8875370839817152],
    [0.46875, 0.5073865267820618],
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028513],
    [2, 0.004677734981047266],
    [4, 1.541725790028002e-8],
    [5, 1.5374597944280349e-12],
    [10, 2.088487583762545e-45],
    [26, 5.663192408856143e-296],
  ] as const) {
    close(erfc(x), wanted, 2e-14);
    close(erfc(-x), 2 - wanted);
    close(logErfc(x), Math.log(wanted), 1e-13);
  }
  assert.equal(erfc(0), 1);
  assert.deepEqual([erfc(Infinity), erfc(-Infinity)], [0, 2]);
  // log(erfc(100)) = −10000 − log(100·√π) + log(1 − 1/20000 + …)
  close(logErfc(100), -10_000 - Math.log(100 * Math.sqrt(Math.PI)) + Math.log1p(-1 / 20_000 + 3 / 4e8), 1e-12);
});

test('mass between two points is accurate in both tails', () => {
  const between = (from: number, to: number): number => massBetween(normalTails(from), normalTails(to));
  close(between(-1, 1), 0.6826894921370859);
  close(between(8, 9), 6.219831985865866e-16, 1e-12);
  close(between(-9, -8), 6.219831985865866e-16, 1e-12);
  close(between(-Infinity, Infinity), 1);
});
