import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JobId } from '@ringfence/base';
import type { MessageBody } from '@ringfence/protocol/messages';
import { ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { memberOf, newAgent, offerOf, TestOrganisation, type TestLink } from '../organisation.fixture.ts';

/** A job whose first attempt was called lost while its agent was cut off; the next one may be leased in a while. */
async function lost(t: TestContext) {
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: (await startDatabase(t)).url, clock });
  const org = new TestOrganisation(clock);
  const { client, custodian, agent } = await org.enrol(t, controlPlane);
  const { job } = await client.submit(org.submission({ maxAttempts: 9 }));
  await until('a lease', () => agent.messages.some(({ name }) => name === 'lease'));
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  await agent.close();
  await client.drainAgent(org.agent.id, { drain: true });
  await until('queued again', async () => {
    clock.shift(1_000);
    return (await client.job(job)).state === 'queued';
  });
  /** Another machine gets the next attempt. */
  const leasedElsewhere = async () => {
    const other = newAgent();
    await custodian.send(memberOf(other));
    const there = org.dial(t, controlPlane, other);
    await there.send(offerOf(other));
    // Time that passes faster than locks are read would end the link again.
    await until('its offer is taken', async () => (await client.agents()).some(({ agent }) => agent === other.id));
    await until('a second lease', () => {
      clock.shift(1_000);
      return there.messages.some(({ name }) => name === 'lease');
    });
    return { other, there };
  };
  const back = (): TestLink => org.dial(t, controlPlane, org.agent, { folder: agent.folder });
  const states = async () => (await client.job(job)).attempts.map(({ state, outcome }) => outcome ?? state);
  return { client, custodian, job, leasedElsewhere, back, states };
}

const stopped = (job: JobId, attempt: number, outcome: MessageBody<'attempt-status'>['outcome']) =>
  ({ name: 'attempt-status', body: { job, attempt, state: 'stopped', outcome } }) as const;

test('what an attempt says after it was called lost counts: a failure that no attempt follows ends the job', async (t) => {
  const { client, custodian, job, back, states } = await lost(t);
  await back().send(stopped(job, 1, 'failed'));
  await until('failed', async () => (await client.job(job)).state === 'failed');
  assert.deepEqual(await states(), ['failed']);
  await until('the custodian knows', () => custodian.messages.some(({ name }) => name === 'job-closed'));
});

test('an interruption that is told late leaves the job waiting, and a commit that is told late succeeds it', async (t) => {
  const { client, custodian, job, back, states } = await lost(t);
  await back().send(stopped(job, 1, 'interrupted'));
  await until('taken', async () => (await states()).includes('interrupted'));
  assert.equal((await client.job(job)).state, 'queued');
  await custodian.send({ name: 'committed', body: { job, attempt: 1 } });
  await until('succeeded', async () => (await client.job(job)).state === 'succeeded');
});

test('a word that comes when the next attempt is leased counts as soon as that one is refused, before or after', async (t) => {
  const { client, job, leasedElsewhere, back, states } = await lost(t);
  const { there } = await leasedElsewhere();
  await back().send(stopped(job, 1, 'out-of-memory'));
  await until('taken', async () => (await states()).includes('out-of-memory'));
  assert.equal((await client.job(job)).state, 'leased', 'the second attempt may have been granted already');
  const refused = { job, attempt: 2, state: 'refused', refusal: 'grant-refused' } as const;
  await there.send({ name: 'attempt-status', body: refused });
  await until('failed', async () => (await client.job(job)).state === 'failed');
  assert.deepEqual(await states(), ['out-of-memory', 'refused']);
});

test('a word that comes after the next attempts were refused ends the job at once', async (t) => {
  const { client, job, leasedElsewhere, back, states } = await lost(t);
  const { other, there } = await leasedElsewhere();
  await client.drainAgent(other.id, { drain: true });
  const refused = { job, attempt: 2, state: 'refused', refusal: 'grant-refused' } as const;
  await there.send({ name: 'attempt-status', body: refused });
  await until('it waits', async () => (await client.job(job)).state === 'queued');
  await back().send(stopped(job, 1, 'timed-out'));
  await until('failed', async () => (await client.job(job)).state === 'failed');
  assert.deepEqual(await states(), ['timed-out', 'refused']);
});
