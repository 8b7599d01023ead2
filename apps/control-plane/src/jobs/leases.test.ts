import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { JobId } from '@ringfence/base';
import { ShiftedClock, startDatabase, startReplica, temporaryFolder, until } from '../control-plane.fixture.ts';
import { offerOf, TestOrganisation, type TestLink } from '../organisation.fixture.ts';

async function leaseOf(agent: TestLink, attempt: number, job: JobId): Promise<void> {
  await until(`lease ${attempt}`, () =>
    agent.messages.some((message) => {
      if (message.name !== 'lease') return false;
      const body = JSON.parse(Buffer.from(message.body.lease.payload, 'base64').toString()) as {
        job: string;
        attempt: number;
      };
      return body.attempt === attempt && body.job === job;
    }),
  );
}

async function house(t: TestContext, database: { url: string }) {
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock });
  const org = new TestOrganisation(clock);
  return { clock, controlPlane, org, ...(await org.enrol(t, controlPlane)) };
}

test('a lease that ends in silence is lost and the job is leased again; one that is renewed, stopped or kept is not', async (t) => {
  const { clock, controlPlane, client, agent, org } = await house(t, await startDatabase(t));
  const { job } = await client.submit(org.submission({ maxAttempts: 2 }));
  await leaseOf(agent, 1, job);
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  const kept = await client.submit(org.submission({ placement: { onPartition: 'keep' } }));
  await leaseOf(agent, 1, kept.job);
  await until('running', async () => (await client.job(job)).state === 'running');
  clock.shift(20_000);
  // Of this moment: one that was on its way before the shift would end within the next.
  await until('a renewal', async () => {
    const [attempt] = (await client.job(job)).attempts;
    return attempt !== undefined && attempt.leaseUntil > clock.now() + 35_000;
  });
  clock.shift(30_000);
  const [first = assert.fail()] = (await client.job(job)).attempts;
  assert.deepEqual([first.state, first.leaseUntil > clock.now()], ['running', true]);
  await agent.close();
  await until('lost', async () => {
    clock.shift(1_000);
    return (await client.job(job)).attempts[0]?.state === 'expired';
  });
  await until('queued', async () => (await client.job(job)).state === 'queued');
  assert.equal((await client.job(kept.job)).state, 'leased', 'a job that keeps on is not replaced');
  const back = org.dial(t, controlPlane, org.agent, { folder: agent.folder });
  await leaseOf(back, 2, job);
  const view = await client.job(job);
  assert.deepEqual(
    view.attempts.map(({ attempt, state }) => [attempt, state]),
    [
      [1, 'expired'],
      [2, 'leased'],
    ],
  );
  // The second and last attempt is stopped: no third follows, and the time that passes changes nothing.
  await back.send({ name: 'attempt-status', body: { job, attempt: 2, state: 'stopped', outcome: 'lease-lost' } });
  await until('failed', async () => (await client.job(job)).state === 'failed');
  clock.shift(120_000);
  assert.equal((await client.job(job)).attempts.length, 2);
});

test('a control plane whose clock is set ends no attempt that is renewed, and keeps none whose agent is gone', async (t) => {
  const { clock, client, agent, org } = await house(t, await startDatabase(t));
  const { job } = await client.submit(org.submission({ maxAttempts: 2 }));
  await leaseOf(agent, 1, job);
  const renewals = (): number => agent.messages.filter(({ name }) => name === 'renew').length;
  const state = async (): Promise<string | undefined> => (await client.job(job)).attempts[0]?.state;
  // Whenever it looks, the clock is further ahead than at its last look.
  const before = renewals();
  let jumps = 0;
  await until('a renewal', () => {
    jumps += 1;
    clock.jump(60_000);
    return renewals() > before;
  });
  clock.jump(jumps * -60_000);
  assert.equal(await state(), 'leased', 'it was renewed all the time');
  await agent.close();
  await until('lost', async () => {
    clock.shift(1_000);
    return (await state()) === 'expired';
  });
});

test('a refused attempt frees what it held, counts and says why; a job that nobody can take waits, says why, and expires', async (t) => {
  const { clock, client, agent, org } = await house(t, await startDatabase(t));
  const { job } = await client.submit(org.submission({ maxAttempts: 2 }));
  for (const attempt of [1, 2]) {
    await leaseOf(agent, attempt, job);
    await agent.send({ name: 'attempt-status', body: { job, attempt, state: 'refused', refusal: 'capacity' } });
    if (attempt === 2) continue;
    await until('it waits for room', async () => (await client.job(job)).retry?.reason === 'no-capacity');
    await agent.send(offerOf(org.agent, { epoch: 2 }));
  }
  await until('failed', async () => (await client.job(job)).state === 'failed');
  assert.deepEqual(
    (await client.job(job)).attempts.map(({ refusal }) => refusal),
    ['capacity', 'capacity'],
    'its owner is told why',
  );
  assert.equal((await client.jobs()).find((listed) => listed.job === job)?.refusal, 'capacity');
  assert.equal((await client.agents())[0]?.freeCpuMilli, 4000);
  const waiting = await client.submit(
    org.submission({ placement: { resources: { ...org.submission().placement.resources, cpuMilli: 5000 } } }),
  );
  await until('an explanation', async () => (await client.job(waiting.job)).waitingFor.length > 0);
  assert.deepEqual((await client.job(waiting.job)).waitingFor, [{ constraint: 'cpu', count: 1 }]);
  // The machine grows: the job that waited is leased without another word.
  await agent.send(offerOf(org.agent, { epoch: 3, cpuMilli: 6000 }));
  await leaseOf(agent, 1, waiting.job);
  // It shrinks below what is held, and when the job ends no more is free than there is.
  await agent.send(offerOf(org.agent, { epoch: 4, cpuMilli: 2000 }));
  await until('nothing is free', async () => (await client.agents())[0]?.freeCpuMilli === 0);
  await agent.send({
    name: 'attempt-status',
    body: { job: waiting.job, attempt: 1, state: 'stopped', outcome: 'failed' },
  });
  await until('all is free', async () => (await client.agents())[0]?.freeCpuMilli === 2000);
  const due = await client.submit(org.submission({ placement: { isolation: 'microvm' }, expiresIn: 60_000 }));
  clock.shift(61_000);
  await until('expired', async () => (await client.job(due.job)).state === 'failed');
});

test('a stop cancels a waiting job at once and reaches the agent of a running one; its end then is cancelled', async (t) => {
  const { client, custodian, agent, org } = await house(t, await startDatabase(t));
  const waiting = await client.submit(org.submission({ placement: { isolation: 'microvm' } }));
  assert.equal((await client.stop(waiting.job, 0)).state, 'cancelled');
  assert.equal((await client.stop(waiting.job, 0)).state, 'cancelled');
  const { job } = await client.submit(org.submission());
  await leaseOf(agent, 1, job);
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  await until('running', async () => (await client.job(job)).state === 'running');
  await Promise.all([client.stop(job, 1234), client.stop(job, 1234)]);
  await until('a stop', () => agent.messages.some(({ name }) => name === 'stop'));
  const stops = agent.messages.filter((message) => message.name === 'stop');
  assert.deepEqual(
    stops.map(({ body }) => body),
    [{ job, attempt: 1, graceMs: 1234, reason: 'requested' }],
  );
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'stopped' } });
  await until('cancelled', async () => (await client.job(job)).state === 'cancelled');
  const closed = (): unknown[] =>
    custodian.messages.flatMap((message) => (message.name === 'job-closed' ? [message.body] : []));
  await until('the custodian knows', () => closed().length === 2);
  assert.deepEqual(closed(), [
    { job: waiting.job, state: 'cancelled' },
    { job, state: 'cancelled' },
  ]);
});

test('of two machines with one identity both are locked, and nothing is placed there', async (t) => {
  const database = await startDatabase(t);
  const { controlPlane, client, agent, org } = await house(t, database);
  await agent.close();
  const copy = temporaryFolder(t);
  cpSync(agent.folder, copy, { recursive: true });
  const original = org.dial(t, controlPlane, org.agent, { folder: agent.folder });
  await original.send(offerOf(org.agent, { epoch: 2 }));
  await until('the original is taken', async () => (await client.agents())[0]?.online === true);
  await until('it is up', () => original.link.state === 'up');
  const clone = org.dial(t, controlPlane, org.agent, { folder: copy });
  await until('both are locked', () => clone.link.state === 'locked' && original.link.state === 'locked');
  assert.equal((await client.agents())[0]?.locked, true);
  const { job } = await client.submit(org.submission());
  await until('an explanation', async () => (await client.job(job)).waitingFor.length > 0);
  assert.equal((await client.job(job)).state, 'queued');
});
