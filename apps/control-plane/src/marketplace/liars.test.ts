import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { offerOf, TestOrganisation } from '../organisation.fixture.ts';

async function house(t: TestContext) {
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: (await startDatabase(t)).url, clock });
  const org = new TestOrganisation(clock);
  const { client, agent } = await org.enrol(t, controlPlane);
  let epoch = 1;
  const offer = async (): Promise<void> => {
    epoch += 1;
    await agent.send(offerOf(org.agent, { epoch }));
  };
  const avoided = async () => (await client.offers())[0]?.avoided ?? null;
  const leases = (): number => agent.messages.filter(({ name }) => name === 'lease').length;
  return { clock, org, client, agent, offer, avoided, leases };
}

test('an offer whose agent refuses what it offers is left alone for a time that doubles, and no job spends its attempts there', async (t) => {
  const { clock, org, client, agent, offer, avoided, leases } = await house(t);
  const { job } = await client.submit(org.submission({ maxAttempts: 9 }));
  const refuse = async (attempt: number): Promise<void> => {
    await until(`lease ${attempt}`, () => leases() === attempt);
    await agent.send({ name: 'attempt-status', body: { job, attempt, state: 'refused', refusal: 'capacity' } });
    await until('it waits', async () => (await client.job(job)).state === 'queued');
  };
  for (const attempt of [1, 2, 3]) {
    await refuse(attempt);
    assert.equal((await avoided()) !== null, attempt === 3);
    // What it says anew changes nothing.
    await offer();
  }
  await until('the job says why', async () => (await client.job(job)).waitingFor[0]?.constraint === 'agent-locked');
  const first = (await avoided()) ?? assert.fail();
  assert.equal(first.reason, 'refuses');
  assert.equal(leases(), 3);
  clock.jump(30_001);
  await offer();
  await refuse(4);
  const second = (await avoided()) ?? assert.fail();
  assert.ok(second.until - first.until >= 60_000, 'twice as long');
  clock.jump(60_001);
  await offer();
  await until('another lease', () => leases() === 5);
  await agent.send({ name: 'attempt-status', body: { job, attempt: 5, state: 'running' } });
  await until('it runs', async () => (await client.job(job)).state === 'running');
  assert.equal(await avoided(), null);
});

test('an offer whose agent is told to stop and does not is left alone', async (t) => {
  const { clock, org, client, agent, offer, avoided } = await house(t);
  const { job } = await client.submit(org.submission({ placement: { onPartition: 'keep' } }));
  await until('a lease', async () => (await client.job(job)).state === 'leased');
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  await until('it runs', async () => (await client.job(job)).state === 'running');
  await client.stop(job, 20_000);
  // In steps: what is watched is watched from the first look on, and an agent that is not heard for long counts as away.
  let passed = 0;
  await until('it is avoided', async () => {
    clock.shift(1_000);
    passed += 1_000;
    if (passed % 10_000 === 0) await offer();
    return (await avoided()) !== null;
  });
  assert.ok(passed >= 65_000, 'its grace and a lease were over');
  assert.equal((await avoided())?.reason, 'ignores-stop');
  assert.equal((await client.job(job)).state, 'running');
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'stopped' } });
  await until('cancelled', async () => (await client.job(job)).state === 'cancelled');
});
