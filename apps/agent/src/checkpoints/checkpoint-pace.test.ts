import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointEvery } from './checkpoint-pace.ts';

/** An admitted attempt whose receipt says so much of losses, and nothing else that matters here. */
function work(lossEvery?: number) {
  const body = lossEvery === undefined ? {} : { lossEvery };
  return { admission: { receipt: { body } } } as unknown as Parameters<typeof checkpointEvery>[0];
}

test('checkpoints are as far apart as cost and losses say, an hour at most, and not at all where nobody counted losses', () => {
  assert.equal(checkpointEvery(work()), undefined);
  assert.equal(checkpointEvery({ admission: undefined }), undefined);
  // √(2 · 10 s · 65,536 s)
  assert.equal(Math.round(checkpointEvery(work(16)) ?? 0), 1_144_867);
  assert.equal(Math.round(checkpointEvery(work(16), 500) ?? 0), 256_000);
  assert.equal(checkpointEvery(work(6), 200_000), 200_000, 'never more often than one takes');
  assert.equal(checkpointEvery(work(30), 60_000), 3_600_000);
});
