import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultAt } from './fault-point.ts';

const POINTS = ['before', 'after'] as const;

test('a fault strikes at the n-th passing of its own step, once', () => {
  let died = 0;
  const fault = faultAt(POINTS, 'after:2', () => (died += 1));
  for (const point of ['after', 'before', 'before'] as const) fault(point);
  assert.equal(died, 0);
  fault('after');
  assert.equal(died, 1);
  fault('after');
  assert.equal(died, 1);
});

test('an unknown step or count is refused', () => {
  for (const setting of ['', 'never', 'before:0', 'before:x', 'before:1e3'])
    assert.throws(() => faultAt(POINTS, setting, () => {}), RangeError);
});
