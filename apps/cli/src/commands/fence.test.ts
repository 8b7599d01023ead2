import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { fencedText } from './fence.ts';

const job = newId('job', systemRng);

test('fence says of an attempt that had ended that there was nothing to fence, and of others that they are', () => {
  const of = (state: 'stopped' | 'refused' | 'running' | 'expired', outcome: 'succeeded' | null = null): string =>
    fencedText({ job, state: 'queued' }, { attempt: 3, state, outcome });
  assert.match(of('stopped', 'succeeded'), /^attempt 3 .* was over already \(succeeded\): there was nothing to fence/);
  assert.match(of('refused'), /was over already \(refused\)/);
  for (const state of ['running', 'expired'] as const)
    assert.equal(of(state), `attempt 3 of ${job} is fenced; the job is queued`);
});
