import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { rowCount } from './examples.ts';
import { holdOut } from './hold-out.ts';

const rows = (count: number) => ({
  rows: Float32Array.from({ length: 2 * count }, (_, at) => at),
  labels: Uint16Array.from({ length: count }, (_, at) => at),
  inputs: 2,
});

test('each row is on one side, some on both, and always the same by the same seed', () => {
  for (const [count, share, held] of [
    [2, 0.01, 1],
    [2, 0.99, 1],
    [10, 0.25, 3],
    [1_000, 0.2, 200],
  ] as const) {
    const parted = holdOut(rows(count), share, seededRng('a'));
    assert.equal(rowCount(parted.heldOut), held);
    const all = [...parted.examples.labels, ...parted.heldOut.labels].toSorted((a, b) => a - b);
    assert.deepEqual(all, [...rows(count).labels]);
    for (const { rows: values, labels } of [parted.examples, parted.heldOut])
      for (const [at, label] of labels.entries()) assert.equal(values[2 * at], 2 * label);
    assert.deepEqual(holdOut(rows(count), share, seededRng('a')), parted);
  }
  assert.notDeepEqual(holdOut(rows(100), 0.2, seededRng('a')), holdOut(rows(100), 0.2, seededRng('b')));
  assert.throws(() => holdOut(rows(1), 0.5, seededRng('a')), { code: 'bad-data' });
});
