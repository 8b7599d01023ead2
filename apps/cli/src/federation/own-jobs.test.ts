import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import { parseJobFile } from '@ringfence/protocol/job-file';
import type { Contract } from '@ringfence/protocol/statements';
import { ownJobs } from './own-jobs.ts';

const [org, other, host] = [newId('org', rng), newId('org', rng), newId('org', rng)];
const contract = '0123456789abcdef'.repeat(4) as Digest;

function termsOf(name: string, datasets: readonly string[], hub = host): Contract {
  return {
    name,
    clients: [
      ...datasets.map((dataset) => ({ org, dataset: { name: dataset } })),
      { org: other, dataset: { name: 'x' } },
    ],
    aggregator: { org: hub },
    rounds: { count: 10, longestMs: 60_000 },
    outputs: [{ artifact: 'model-1', recipients: [org] }],
  } as unknown as Contract;
}

test('an organisation orders a client for each of its datasets, and the aggregator where it is its own', () => {
  const jobs = ownJobs(termsOf('study', ['rows', '2024.1'], org), contract, org);
  assert.deepEqual(
    jobs.map(({ role, dataset }) => [role, dataset]),
    [
      ['client', 'rows'],
      ['client', '2024.1'],
      ['aggregator', undefined],
    ],
  );
  const [client, , aggregator] = jobs.map(({ text }) => parseJobFile(text));
  assert.deepEqual(
    [client?.name, client?.federation?.role, client?.mounts, client?.outputs],
    ['study-rows', 'client', [{ path: '/data', dataset: 'rows' }], [{ path: '/out', artifact: 'model-1' }]],
  );
  assert.ok(contract.startsWith(client?.federation?.contract ?? '-'));
  assert.deepEqual([aggregator?.name, aggregator?.mounts, aggregator?.outputs], ['study-aggregator', [], []]);
  assert.equal(client?.maxDurationMs, 3_600_000, 'an hour at the least');
});

test('who is no recipient keeps no output, and who has nothing in the contract orders nothing', () => {
  const [job] = ownJobs(termsOf('study', ['rows']), contract, other);
  assert.deepEqual(parseJobFile(job?.text ?? '').outputs, []);
  assert.deepEqual(
    ownJobs(termsOf('study', ['rows']), contract, host).map(({ role }) => role),
    ['aggregator'],
  );
  assert.deepEqual(ownJobs(termsOf('study', ['rows']), contract, newId('org', rng)), []);
});

test('names of any length and look make a job file', () => {
  for (const name of ['a'.repeat(63), `${'b'.repeat(30)}.-${'c'.repeat(31)}`, '1e3', 'no', '0x10']) {
    const jobs = ownJobs(termsOf(name, [name], org), contract, org);
    for (const { text } of jobs) assert.ok(parseJobFile(text).name.length <= 63, text);
    assert.equal(parseJobFile(jobs[0]?.text ?? '').mounts[0]?.dataset, name);
  }
});
