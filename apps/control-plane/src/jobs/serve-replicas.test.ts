import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobId } from '@ringfence/base';
import { startDatabase, startReplica, temporaryFolder, until } from '../control-plane.fixture.ts';
import { TestOrganisation, type TestLink } from '../organisation.fixture.ts';

/** An agent that runs what it is leased until it is told to stop, and notes if two attempts of a job ever ran at once. */
function obey(agent: TestLink): { readonly running: Map<JobId, Set<number>>; most: number } {
  const seen = { running: new Map<JobId, Set<number>>(), most: 0 };
  agent.onMessage = (message) => {
    if (message.name === 'lease') {
      const { job, attempt } = JSON.parse(Buffer.from(message.body.lease.payload, 'base64').toString()) as {
        job: JobId;
        attempt: number;
      };
      const here = seen.running.get(job) ?? new Set();
      seen.running.set(job, here.add(attempt));
      seen.most = Math.max(seen.most, here.size);
      void agent.send({ name: 'attempt-status', body: { job, attempt, state: 'running' } });
    }
    if (message.name === 'stop') {
      const { job, attempt } = message.body;
      if (seen.running.get(job)?.delete(attempt) !== true) return;
      void agent.send({ name: 'attempt-status', body: { job, attempt, state: 'stopped', outcome: 'stopped' } });
    }
  };
  return seen;
}

test('two replicas of a control plane, the custodian at one and the agent at the other: any order of wishes ends as the last one says', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const keys = temporaryFolder(t);
  const [one, two] = [await startReplica(t, { databaseUrl, keys }), await startReplica(t, { databaseUrl, keys })];
  const org = new TestOrganisation();
  const { custodian, agent: first, client } = await org.enrol(t, one);
  await first.close();
  const agent = org.dial(t, two, org.agent, { folder: first.folder });
  const seen = obey(agent);
  await until('the agent is back', async () => (await client.agents())[0]?.online === true);
  const clients = [client, org.client(t, two)];
  const jobs = await Promise.all(
    [0, 1, 2, 3].map(async (index) => {
      const submission = org.submission({ maxAttempts: 1_000_000, placement: { type: 'serve', onPartition: 'keep' } });
      return (await (clients[index % 2] ?? client).submit(submission)).job;
    }),
  );
  const wish = (job: JobId, wanted: boolean) => custodian.send({ name: 'wanted', body: { job, wanted, graceMs: 0 } });
  // Nobody waits for anything: what was wished last counts.
  for (let round = 0; round < 12; round += 1)
    for (const [index, job] of jobs.slice(0, 3).entries()) await wish(job, (round + index) % 2 === 0);
  const [on, off, onToo, marker] = jobs;
  if (on === undefined || off === undefined || onToo === undefined || marker === undefined)
    throw new Error('four jobs were submitted');
  await Promise.all([wish(on, true), wish(off, false), wish(onToo, true)]);
  // Messages keep their order: when the marker runs all wishes are taken, when it is parked again all stops are obeyed.
  for (const wanted of [true, false]) {
    await wish(marker, wanted);
    await until('the marker', async () => (await client.job(marker)).state === (wanted ? 'running' : 'parked'));
  }
  await until('what is wanted runs, what is not is parked', async () => {
    const states = await Promise.all(jobs.map(async (job) => (await client.job(job)).state));
    return states.join(' ') === 'running parked running parked';
  });
  assert.equal(seen.most, 1, 'never two attempts of a job');
  for (const job of jobs) {
    const { attempts } = await client.job(job);
    const open = attempts.filter(({ state }) => state !== 'stopped').map(({ attempt }) => attempt);
    assert.deepEqual(open, job === off || job === marker ? [] : [attempts.length]);
    assert.deepEqual([...(seen.running.get(job) ?? [])], open);
  }
  assert.equal((await client.agents())[0]?.freeCpuMilli, 2000, 'a parked job holds nothing');
});
