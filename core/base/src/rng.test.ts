import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { test } from 'node:test';
import { randomBelow, seededRng, systemRng, type Rng } from './rng.ts';

const words = (...values: number[]): Rng => ({
  bytes: () => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(values.shift() ?? assert.fail('drew too often'));
    return bytes;
  },
});

test('a seed gives one stream, however it is drawn, and another seed another', () => {
  const [a, b] = [seededRng('seed'), seededRng('seed')];
  const pieces = Buffer.concat([1, 2, 3, 10, 16].map((length) => a.bytes(length)));
  assert.deepEqual(pieces, Buffer.from(b.bytes(32)));
  const key = createHash('sha256').update('seed').digest();
  assert.deepEqual(pieces, createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(32)));
  assert.notDeepEqual(seededRng('seeds').bytes(16), seededRng('seed').bytes(16));
});

test('the system generator gives as many bytes as asked, never the same', () => {
  assert.equal(systemRng.bytes(0).length, 0);
  assert.notDeepEqual(systemRng.bytes(16), systemRng.bytes(16));
});

test('draws that would favour small numbers are drawn again', () => {
  // 2^32 mod 3 = 1: the one word above the last full block is thrown away.
  assert.equal(randomBelow(words(2 ** 32 - 1, 7), 3), 1);
  assert.equal(randomBelow(words(2 ** 32 - 2), 3), 2);
  assert.equal(randomBelow(words(2 ** 31, 5), 2 ** 31 - 1), 1);
  assert.equal(randomBelow(words(2 ** 32 - 1), 2 ** 32), 2 ** 32 - 1);
  assert.equal(randomBelow(words(12345), 1), 0);
});

test('all numbers below the bound come, about equally often', () => {
  const rng = seededRng('uniform');
  const counts = Array.from({ length: 10 }, () => 0);
  for (let run = 0; run < 100_000; run += 1) {
    const drawn = randomBelow(rng, 10);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  const chiSquared = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  assert.ok(chiSquared < 27.9, `chi-squared ${chiSquared}, 9 degrees of freedom: one stream in 1,000 exceeds 27.9`);
});

test('bounds that nothing is below are refused', () => {
  for (const bound of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1, Infinity])
    assert.throws(() => randomBelow(seededRng('x'), bound), RangeError);
});
