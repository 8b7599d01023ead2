import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { boundedMean, randomBuckets, robustMean } from './buckets.ts';

test('buckets hold everyone once, none is smaller than asked', () => {
  for (const clients of [3, 4, 10, 11, 1_000]) {
    const buckets = randomBuckets(clients, 3, seededRng(`buckets ${clients}`));
    assert.equal(buckets.length, Math.floor(clients / 3));
    assert.deepEqual(
      buckets.flat().toSorted((a, b) => a - b),
      Array.from({ length: clients }, (_, at) => at),
    );
    assert.ok(buckets.every(({ length }) => length >= 3));
  }
  assert.notDeepEqual(randomBuckets(30, 3, seededRng('a')), randomBuckets(30, 3, seededRng('b')));
  assert.throws(() => randomBuckets(2, 3, seededRng('few')), { code: 'bad-parameters' });
  assert.throws(() => randomBuckets(20, 2, seededRng('small')), { code: 'bad-parameters' });
});

test('a poisoned bucket in five moves the mean, not the median or the trimmed mean', () => {
  const means = [3, 1e9, 1, 4, 2].map((value) => Float64Array.of(value, -value));
  assert.deepEqual(robustMean({ kind: 'median' }, means), Float64Array.of(3, -3));
  assert.deepEqual(robustMean({ kind: 'median' }, means.toSpliced(1, 1)), Float64Array.of(2.5, -2.5));
  assert.deepEqual(robustMean({ kind: 'trimmed', trim: 1 }, means), Float64Array.of(3, -3));
  assert.deepEqual(robustMean({ kind: 'trimmed', trim: 0 }, means), robustMean({ kind: 'mean' }, means));
  assert.equal(robustMean({ kind: 'mean' }, means)[0], (10 + 1e9) / 5);
  assert.throws(() => robustMean({ kind: 'trimmed', trim: 2 }, means.slice(1)), { code: 'bad-parameters' });
  assert.throws(() => robustMean({ kind: 'median' }, []), { code: 'bad-parameters' });
  assert.throws(() => robustMean({ kind: 'median' }, [new Float64Array(1), new Float64Array(2)]), { code: 'bad-size' });
});

test('a mean is cut to its bound and no further', () => {
  assert.deepEqual(boundedMean(Float64Array.of(3, 4), 5), Float64Array.of(3, 4));
  assert.deepEqual(boundedMean(Float64Array.of(30, -40), 5), Float64Array.of(3, -4));
});
