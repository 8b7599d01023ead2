import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterAborted, LONGEST_PAUSE_MS, MOST_IN_A_ROW, pauseAfter } from './aborted-in-a-row.ts';

test('the first retry is at once, later ones wait twice as long each time, up to half an hour', () => {
  assert.deepEqual(
    Array.from({ length: 11 }, (_, count) => pauseAfter(count) / 1_000),
    [0, 0, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_800],
  );
  assert.equal(pauseAfter(2_000), LONGEST_PAUSE_MS);
});

test('leave is given again to the millisecond, and not at all after ten in a row', () => {
  const newestAt = 1_000_000;
  for (let count = 0; count < MOST_IN_A_ROW; count += 1) {
    const over = newestAt + pauseAfter(count);
    assert.equal(afterAborted({ count, newestAt }, over), 'leave', String(count));
    if (count > 1) assert.equal(afterAborted({ count, newestAt }, over - 1), 'wait', String(count));
  }
  assert.equal(afterAborted({ count: MOST_IN_A_ROW, newestAt }, newestAt + 1e12), 'stop');
});

test('a clock that was set back holds nobody up', () => {
  assert.equal(afterAborted({ count: 9, newestAt: 1_000_000 }, 999_999), 'leave');
});
