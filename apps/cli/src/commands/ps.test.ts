import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateText } from './ps.ts';

test('a job that failed or waits says why its newest attempt came to nothing', () => {
  assert.equal(stateText({ state: 'failed', refusal: 'disk-full' }), 'failed (disk-full)');
  assert.equal(stateText({ state: 'queued', stopCause: 'drain' }), 'queued (drain)');
  assert.equal(stateText({ state: 'failed', stopCause: 'requested' }), 'failed', 'the owner knows');
  assert.equal(stateText({ state: 'running', stopCause: 'drain' }), 'running');
  assert.equal(stateText({ state: 'cancelled' }), 'cancelled');
});
