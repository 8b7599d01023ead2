import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, seededRng } from '@ringfence/base';
import type { JobRow } from '@ringfence/protocol/payload';
import { replicaToRead, whichJob } from './which-job.ts';

const row: JobRow = {
  job: newId('job', seededRng('a job by its name')),
  name: 'train',
  device: newId('device', seededRng('whose')),
  at: epochMs(1),
  attempt: null,
  agent: null,
  committed: false,
};
const older = { ...row, job: newId('job', seededRng('an older one')), at: epochMs(0) };
const session = { custodian: { jobs: async () => [older, row] } };

test('a word means the newest job of that name', async () => {
  assert.equal(await whichJob(session, 'train'), row.job);
  assert.equal(await whichJob(session, older.job), older.job);
});

test('a word that means nothing is repeated, with the nearest name and where all stand', async () => {
  const message = 'no job is called trian';
  await assert.rejects(whichJob(session, 'trian'), {
    code: 'not-found',
    message,
    next: 'did you mean train? Otherwise see `ringfence ps`',
  });
  await assert.rejects(whichJob(session, 'elsewhere'), { next: 'see `ringfence ps`' });
});

test('where an endpoint was looked for too, that is said, and its name may be the nearest', async () => {
  await assert.rejects(whichJob(session, 'tumors', ['tumours']), {
    message: 'no job and no endpoint is called tumors',
    next: 'did you mean tumours? Otherwise see `ringfence ps` and `ringfence endpoint ls`',
  });
});

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
