import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newId, systemRng, type JobId } from '@ringfence/base';
import { signStatement } from '@ringfence/keyring';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { Outcome } from '@ringfence/protocol/statements';
import { ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { offerOf, TestOrganisation, type Submission, type TestLink } from '../organisation.fixture.ts';

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

/** The device's word that an attempt is over. */
function fenceOf(org: TestOrganisation, job: JobId, attempt: number, by = org.device) {
  const body = { v: 1, org: org.org, job, attempt, device: by.id, at: org.clock.now() } as const;
  return signStatement('fence', body, [by.sign]);
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

test('a replica that keeps on is never replaced while it may run: only its agent’s word or a fence ends it', async (t) => {
  const { clock, controlPlane, org, client, agent, wish, is, state, report, free } = await house(t);
  const { job } = await client.submit(replica(org));
  await wish(job, true);
  await is(job, 'leased');
  await report(job, 1);
  await is(job, 'running');
  await agent.close();
  clock.shift(1_800_000);
  // A marker behind what the watch does: a job that waits in vain expires.
  const due = await client.submit(org.submission({ placement: { isolation: 'microvm' }, expiresIn: 60_000 }));
  clock.shift(61_000);
  await is(due.job, 'failed');
  await wish(job, false);
  await wish(job, true);
  assert.equal(await state(job), 'running');
  assert.equal((await client.job(job)).attempts.length, 1);
  await assert.rejects(client.fence(job, fenceOf(org, job, 2)), { code: 'conflict' });
  await assert.rejects(client.fence(due.job, fenceOf(org, job, 1)), { code: 'bad-statement' });
  const stranger = new TestOrganisation(clock);
  await assert.rejects(client.fence(job, fenceOf(org, job, 1, stranger.device)), { code: 'bad-statement' });
  assert.equal((await client.fence(job, fenceOf(org, job, 1))).state, 'queued');
  assert.equal((await client.fence(job, fenceOf(org, job, 1))).attempts[0]?.state, 'expired');
  assert.equal(await free(), 4000);
  const back = org.dial(t, controlPlane, org.agent, { folder: agent.folder });
  await back.send(offerOf(org.agent, { epoch: 2 }));
  await until('attempt 2', async () => (await client.job(job)).attempts.length === 2);
  await until('the fenced one is told', () => back.messages.some(({ name }) => name === 'lease'));
  const told = back.messages.flatMap((message) => (message.name === 'stop' ? [message.body] : []));
  assert.deepEqual(
    told.map(({ attempt, reason }) => [attempt, reason]),
    [
      [1, 'requested'],
      [1, 'superseded'],
    ],
  );
  // What the fenced agent still says changes nothing for the job.
  await back.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'stopped' } });
  await back.send({ name: 'attempt-status', body: { job, attempt: 2, state: 'running' } });
  await is(job, 'running');
});

test('a replica that ends by itself is tried again after a while that grows, and waits through a restart', async (t) => {
  const { clock, database, org, client, controlPlane, agent, custodian, wish, is, report } = await house(t);
  const { job } = await client.submit(replica(org));
  await wish(job, true);
  for (const [attempt, outcome] of (['succeeded', 'failed', 'timed-out', 'interrupted'] as const).entries()) {
    await is(job, 'leased');
    await report(job, attempt + 1);
    await report(job, attempt + 1, outcome);
    await until('it waits, or is leased again', async () => {
      const { state, retry, attempts } = await client.job(job);
      if (state === 'queued') assert.equal(retry?.reason, outcome === 'interrupted' ? 'interruption' : 'error');
      return state === 'queued' || attempts.length > attempt + 1;
    });
    clock.shift(10_000);
  }
  await is(job, 'leased');
  await report(job, 5, 'failed');
  await until('it ended', async () => (await client.job(job)).attempts[4]?.state === 'stopped');
  await controlPlane.close();
  const next = await startReplica(t, {
    databaseUrl: database.url,
    clock,
    state: dirname(controlPlane.ready['registration_code_file'] ?? ''),
  });
  const again = org.client(t, next);
  await Promise.all([agent.close(), custodian.close()]);
  org.dial(t, next, 'custodian', { folder: custodian.folder });
  await org.dial(t, next, org.agent, { folder: agent.folder }).send(offerOf(org.agent, { epoch: 2 }));
  clock.shift(20_000);
  await until('the other process places it', async () => (await again.job(job)).attempts.length === 6);
});
