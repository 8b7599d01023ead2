import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { JobCodes } from './job-codes.ts';

const rng = seededRng('codes of jobs');
const [first, second, third] = [newId('job', rng), newId('job', rng), newId('job', rng)];

test('the code of a job is read once, also where it brings none, and the oldest is forgotten', async () => {
  const codes = new JobCodes(2);
  const read: string[] = [];
  const ask = (job: typeof first, code?: Digest) =>
    codes.of(job, async () => {
      read.push(job);
      return code;
    });
  const digest = sha256Hex(rng.bytes(1));
  assert.equal(await ask(first, digest), digest);
  assert.equal(await ask(second), undefined);
  assert.equal(await ask(first), digest, 'it does not change');
  await ask(second);
  assert.deepEqual(read, [first, second]);
  await ask(third);
  await ask(second);
  await ask(first, digest);
  assert.deepEqual(read, [first, second, third, first]);
});

test('code that could not be read is read again', async () => {
  const codes = new JobCodes();
  const missing = new Error('missing');
  await assert.rejects(
    codes.of(first, () => Promise.reject(missing)),
    missing,
  );
  const digest = sha256Hex(rng.bytes(1));
  assert.equal(await codes.of(first, async () => digest), digest);
});
