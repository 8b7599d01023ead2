import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usableIdle } from './idle-cores.ts';

test('idle cores of the machine count only beyond those that this process may not use', () => {
  assert.equal(usableIdle(1.5, 2, 2), 1.5);
  assert.equal(usableIdle(30, 64, 4), 0);
  assert.equal(usableIdle(62, 64, 4), 2);
  // A container told of fewer cores than it may use.
  assert.equal(usableIdle(2, 2, 4), 2);
});
