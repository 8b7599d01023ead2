import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { newId, systemRng, type JobId } from '@ringfence/base';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { Outcome } from '@ringfence/protocol/statements';
import { ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { TestOrganisation, type Submission, type TestLink } from '../organisation.fixture.ts';

async function house(t: TestContext) {
  const clock = new ShiftedClock();
  const database = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock });
  const org = new TestOrganisation(clock);
  const enrolled = await org.enrol(t, controlPlane);
  const { client, agent, custodian } = enrolled;
  const state = async (job: JobId) => (await client.job(job)).state;
  return {
    clock,
    database,
    controlPlane,
    org,
    ...enrolled,
    state,
    wish: (job: JobId, wanted: boolean, more: Partial<MessageBody<'wanted'>> = {}) =>
      custodian.send({ name: 'wanted', body: { job, wanted, graceMs: 5_000, ...more } }),
    is: (job: JobId, wished: Awaited<ReturnType<typeof state>>) =>
      until(`${wished}`, async () => (await state(job)) === wished),
    report: (job: JobId, attempt: number, outcome?: Outcome) =>
      agent.send({
        name: 'attempt-status',
        body: { job, attempt, ...(outcome === undefined ? { state: 'running' } : { state: 'stopped', outcome }) },
      }),
    free: async () => (await client.agents())[0]?.freeCpuMilli,
  };
}

function replica(org: TestOrganisation, job?: JobId): Submission {
  return org.submission({
    ...(job === undefined ? {} : { job }),
    maxAttempts: 1_000_000,
    placement: { type: 'serve', onPartition: 'keep' },
  });
}

function stopsOf(agent: TestLink): readonly { readonly attempt: number; readonly graceMs: number }[] {
  return agent.messages.flatMap((message) => (message.name === 'stop' ? [message.body] : []));
}

test('a serve job is parked until its custodian wants it, parked again when not, and ended for good by the final word', async (t) => {
  const { org, client, agent, custodian, wish, is, state, report, free } = await house(t);
  const { job, state: first } = await client.submit(replica(org));
  assert.equal(first, 'parked');
  await wish(job, true);
  await is(job, 'leased');
  await report(job, 1);
  await is(job, 'running');
  assert.equal(await free(), 3000);
  await wish(job, false);
  await until('a stop', () => stopsOf(agent).length === 1);
  await wish(job, false);
  assert.equal(await state(job), 'running', 'it is parked when it has stopped, not before');
  await report(job, 1, 'stopped');
  await is(job, 'parked');
  assert.equal(await free(), 4000);
  assert.deepEqual(
    stopsOf(agent).map(({ attempt, graceMs }) => [attempt, graceMs]),
    [[1, 5_000]],
  );
  // Told to stop and wanted again before it has: the next attempt follows at once.
  await wish(job, true);
  await is(job, 'leased');
  await wish(job, false);
  await wish(job, true);
  await report(job, 2, 'stopped');
  await until('attempt 3', async () => (await client.job(job)).attempts.length === 3);
  // The final word: a stop, and then the end, whatever was wished before.
  await wish(job, false, { final: true, graceMs: 0 });
  await until('a last stop', () => stopsOf(agent).some(({ attempt }) => attempt === 3));
  await wish(job, true);
  await report(job, 3, 'stopped');
  await is(job, 'cancelled');
  await until('the custodian is told', () => custodian.messages.some(({ name }) => name === 'job-closed'));
  await wish(job, true);
  const other = await client.submit(replica(org));
  await wish(other.job, false, { final: true });
  await is(other.job, 'cancelled');
  assert.equal(await state(job), 'cancelled');
});

test('a wish that comes before its job ends as one that comes after it; for other types it means nothing', async (t) => {
  const { org, client, wish, is, state, custodian } = await house(t);
  const early = newId('job', systemRng);
  await wish(early, false);
  await wish(early, true);
  const gone = newId('job', systemRng);
  await wish(gone, true);
  await wish(gone, false, { final: true });
  await wish(gone, true);
  const marker = await client.submit(replica(org));
  await wish(marker.job, true);
  await is(marker.job, 'leased');
  await client.submit(replica(org, early));
  await is(early, 'leased');
  assert.equal((await client.submit(replica(org, gone))).state, 'cancelled');
  await until('the custodian is told', () =>
    custodian.messages.some((message) => message.name === 'job-closed' && message.body.job === gone),
  );
  const train = await client.submit(org.submission({ placement: { isolation: 'microvm' } }));
  await wish(train.job, false, { final: true });
  await wish(marker.job, false);
  assert.equal(await state(train.job), 'queued');
});

test('a wish reaches jobs of the custodian’s own organisation alone', async (t) => {
  const { database, controlPlane, org, client, is, state, wish } = await house(t);
  const { job } = await client.submit(replica(org));
  const others = new TestOrganisation();
  const theirs = await others.enrol(t, controlPlane, await printCode(t, controlPlane, database.url));
  const body = { job, graceMs: 0 };
  await theirs.custodian.send({ name: 'wanted', body: { ...body, wanted: true } });
  await theirs.custodian.send({ name: 'wanted', body: { ...body, wanted: false, final: true } });
  const own = await theirs.client.submit(replica(others));
  await theirs.custodian.send({ name: 'wanted', body: { ...body, job: own.job, wanted: true } });
  await until('what came before is taken', async () => (await theirs.client.job(own.job)).state === 'leased');
  assert.equal(await state(job), 'parked');
  await wish(job, true);
  await is(job, 'leased');
});
