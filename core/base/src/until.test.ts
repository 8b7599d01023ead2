import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './until.fixture.ts';

test('waits for what comes, and says what did not', async () => {
  let looks = 0;
  await until(() => (looks += 1) === 3);
  await until(async () => (looks += 1) === 6, 'promises too');
  assert.equal(looks, 6);
  await assert.rejects(
    until(() => false, 'the moon', 1),
    /^Error: waited in vain: the moon$/,
  );
  await assert.rejects(
    until(() => looks === 0, undefined, 1),
    /looks === 0/,
  );
});
