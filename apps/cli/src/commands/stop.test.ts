import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { stoppedText } from './stop.ts';

test('a stop says what came of it, and that a job was over', () => {
  const job = newId('job', systemRng);
  assert.equal(stoppedText({ job, state: 'running' }, 'running'), `${job} is asked to stop`);
  assert.equal(stoppedText({ job, state: 'cancelled' }, 'queued'), `${job} is cancelled`);
  for (const over of ['succeeded', 'failed', 'cancelled'] as const)
    assert.equal(stoppedText({ job, state: over }, over), `${job} was over already: ${over}`);
});
