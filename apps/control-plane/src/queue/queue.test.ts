import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { newId, systemRng, type JobId } from '@ringfence/base';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { memberOf, newAgent, offerOf, TestOrganisation, type Target } from '../organisation.fixture.ts';

const HOUR = 3_600_000;

/** A job of so many CPUs. */
function sized(cpus: number, change: Partial<PlacementPart> = {}): Partial<PlacementPart> {
  const resources = { cpuMilli: cpus * 1_000, memoryBytes: 16_000_000, diskBytes: 0, hardLimits: false };
  return { resources, maxDurationMs: HOUR, ...change };
}

/** An organisation with one machine of four CPUs, and what tests do there. */
async function fourCpus(t: TestContext, target: Target, databaseUrl: string) {
  const org = new TestOrganisation();
  const house = await org.enrol(t, target, await printCode(t, target, databaseUrl));
  const { client, agent } = house;
  return {
    org,
    ...house,
    submit: async (cpus: number, change: Partial<PlacementPart> = {}): Promise<JobId> =>
      (await client.submit(org.submission({ placement: sized(cpus, change) }))).job,
    leased: (job: JobId) => until(`${job} is leased`, async () => (await client.job(job)).state === 'leased'),
    waits: async (job: JobId, ...reasons: (readonly [string, number])[]) => {
      const text = JSON.stringify(reasons);
      await until(`${job} waits for ${text}`, async () => {
        const { waitingFor, state } = await client.job(job);
        const counts = waitingFor.map(({ constraint, count }) => [constraint, count]);
        return state === 'queued' && JSON.stringify(counts) === text;
      });
    },
    ends: (job: JobId, outcome: 'stopped' | 'interrupted' | 'succeeded', attempt = 1) =>
      agent.send({ name: 'attempt-status', body: { job, attempt, state: 'stopped', outcome } }),
    runs: (job: JobId, attempt = 1) => agent.send({ name: 'attempt-status', body: { job, attempt, state: 'running' } }),
  };
}

test('the queue', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl });

  await t.test('a job starts before one that waits only where it does not delay it', async (st) => {
    const { submit, leased, waits, ends } = await fourCpus(st, controlPlane, databaseUrl);
    const first = await submit(2);
    await leased(first);
    const big = await submit(4);
    await waits(big, ['cpu', 1]);
    const long = await submit(1, { maxDurationMs: 2 * HOUR });
    await waits(long, ['held', 1]);
    const short = await submit(1, { maxDurationMs: HOUR / 2 });
    await leased(short);
    await ends(first, 'stopped');
    await waits(long, ['held', 1]);
    await ends(short, 'stopped');
    await leased(big);
    await waits(long, ['cpu', 1]);
    await ends(big, 'stopped');
    await leased(long);
  });

  await t.test('a gang starts as one, when all of it is there and all of it fits', async (st) => {
    const house = await fourCpus(st, controlPlane, databaseUrl);
    const { org, client, custodian, submit, leased, waits } = house;
    const gang = { id: newId('gang', systemRng), size: 3 };
    const members = [await submit(2, { gang }), await submit(2, { gang })];
    for (const member of members) await waits(member, ['gang-incomplete', 1]);
    for (const other of [
      { ...gang, size: 2 },
      { ...gang, size: 4 },
    ])
      await assert.rejects(submit(2, { gang: other }), { code: 'conflict' });
    members.push(await submit(2, { gang }));
    for (const member of members) await waits(member, ['gang-room', 1]);
    await assert.rejects(submit(2, { gang }), { code: 'conflict' });
    const more = newAgent();
    await custodian.send(memberOf(more));
    await org.dial(st, controlPlane, more).send(offerOf(more));
    for (const member of members) await leased(member);
    const agents = await Promise.all(members.map(async (job) => (await client.job(job)).attempts[0]?.agent));
    assert.equal(new Set(agents).size, 2);
    // From now on each is on its own: one that is lost follows alone.
    const [lost] = members;
    assert.ok(lost !== undefined);
    const there = agents[0] === org.agent.id ? house.agent : undefined;
    if (there === undefined) return;
    await house.ends(lost, 'interrupted');
    await until('it follows', async () => (await client.job(lost)).attempts.length === 2);
  });

  await t.test(
    'the fewest jobs of lower priority stop for one that is more urgent, and nobody else gets their room',
    async (st) => {
      const { client, agent, submit, leased, waits, runs, ends } = await fourCpus(st, controlPlane, databaseUrl);
      const retryOn: PlacementPart['retryOn'] = ['interruption'];
      const soft = { preemptible: true, retryOn } as const;
      const keeps = await submit(1, { ...soft, priority: 1, onPartition: 'keep' });
      const hard = await submit(1, { priority: 1 });
      const equal = await submit(1, { ...soft, priority: 50 });
      const low = await submit(1, { ...soft, priority: 10 });
      for (const job of [keeps, hard, equal, low]) {
        await leased(job);
        await runs(job);
      }
      const urgent = await submit(1, { priority: 50 });
      await waits(urgent, ['cpu', 1]);
      const stops = () => agent.messages.flatMap((message) => (message.name === 'stop' ? [message.body] : []));
      await until('one is told to stop', () => stops().length > 0);
      const none = await submit(2, { priority: 50 });
      await waits(none, ['cpu', 1]);
      assert.deepEqual(stops(), [{ job: low, attempt: 1, graceMs: 60_000, reason: 'drain' }]);
      assert.equal((await client.job(low)).attempts[0]?.stopCause, 'preempted');
      await ends(low, 'interrupted');
      await leased(urgent);
      await until('it waits to go on', async () => (await client.job(low)).state === 'queued');
      assert.ok((await client.events(urgent)).some(({ type }) => type === 'job-nominated'));
    },
  );
});
