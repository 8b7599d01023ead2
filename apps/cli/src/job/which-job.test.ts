import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { replicaToRead } from './which-job.ts';

test('of an endpoint, the replica that answers is looked at, not the newest, which may rest', () => {
  const rng = seededRng('which job');
  const [first, second, third] = [newId('job', rng), newId('job', rng), newId('job', rng)];
  const at = { revision: 1 };
  const resting = { ...at, job: third, state: 'parked' } as const;
  const coming = { ...at, job: second, state: 'wanted' } as const;
  assert.equal(replicaToRead([resting, coming, { ...at, job: first, state: 'ready' }], third), first);
  assert.equal(replicaToRead([resting, coming], third), second);
  assert.equal(replicaToRead([resting], third), third);
});
