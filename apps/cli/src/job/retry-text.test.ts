import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import { retryText } from './retry-text.ts';

test('a job that backs off says when it is tried again, and why', () => {
  const at = epochMs(1_800_000_012_000);
  assert.equal(retryText({ at, reason: 'interruption' }, at - 12_000), 'tried again in 12.0 s: interruption');
  assert.equal(retryText({ at, reason: 'error' }, at + 1), 'tried again now: error');
  assert.equal(
    retryText({ at, reason: 'no-capacity' }, at - 300_000),
    'tried again when a machine changes, in 5 m 0 s at the latest: no-capacity',
  );
});
