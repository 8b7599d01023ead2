import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedCache } from './bounded-cache.ts';

test('holds the most recently used and no more', () => {
  const cache = new BoundedCache<number, string>(3);
  const made: number[] = [];
  const get = (key: number): string =>
    cache.get(key, () => {
      made.push(key);
      return String(key);
    });
  for (const key of [1, 2, 3, 1, 4, 1, 2]) assert.equal(get(key), String(key));
  assert.deepEqual(made, [1, 2, 3, 4, 2]);
  for (let key = 0; key < 100; key += 1) get(key);
  assert.equal(cache.size, 3);
});
