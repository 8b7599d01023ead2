import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { epochMs, newId, systemRng, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { agedPriority, AGING_MS } from '@ringfence/policy/queue';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { sql } from 'kysely';
import { openTestStore, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { raiseInventory } from '../placement/inventory.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { memberOf, newAgent, offerOf, TestOrganisation, type Target } from '../organisation.fixture.ts';
import { agedPriorityAt } from './aged-priority.ts';
import { waitingOrgs, waitingTurns } from './waiting-turns.ts';

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
  const store = await openTestStore(t, databaseUrl);

  await t.test('a job starts before one that waits only where it does not delay it', async (st) => {
    const { submit, leased, waits, ends } = await fourCpus(st, controlPlane, databaseUrl);
    // However many come before that fit nowhere, or wait for something else.
    for (let count = 0; count < 18; count += 1)
      await waits(await submit(count < 9 ? 9 : 1, { priority: 60, ...(count < 9 ? {} : { spot: 'only' }) }), [
        count < 9 ? 'cpu' : 'spot',
        1,
      ]);
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
    const lost = members[agents.indexOf(org.agent.id)] ?? assert.fail('four CPUs were free there');
    await house.ends(lost, 'interrupted');
    await until('it follows', async () => (await client.job(lost)).attempts.length === 2);
  });

  await t.test(
    'the fewest jobs of lower priority stop for one that is more urgent, and nobody else gets their room',
    async (st) => {
      const { org, client, agent, submit, leased, waits, runs, ends } = await fourCpus(st, controlPlane, databaseUrl);
      const retryOn: PlacementPart['retryOn'] = ['interruption'];
      const soft = { preemptible: true, retryOn } as const;
      const keeps = await submit(1, { ...soft, priority: 1, onPartition: 'keep' });
      const equal = await submit(1, { ...soft, priority: 50 });
      const [low, lower] = [await submit(1, { ...soft, priority: 10 }), await submit(1, { ...soft, priority: 9 })];
      for (const job of [keeps, equal, low, lower]) {
        await leased(job);
        await runs(job);
      }
      const urgent = await submit(2, { priority: 50 });
      await waits(urgent, ['cpu', 1]);
      const stops = () => agent.messages.flatMap((message) => (message.name === 'stop' ? [message.body] : []));
      await until('two are told to stop', () => stops().length === 2);
      assert.deepEqual(new Set(stops().map(({ job }) => job)), new Set([low, lower]));
      assert.ok(stops().every(({ reason, graceMs }) => reason === 'drain' && graceMs === 60_000));
      assert.equal((await client.job(low)).attempts[0]?.stopCause, 'preempted');
      assert.ok((await client.events(urgent)).some(({ type }) => type === 'job-nominated'));
      // The room of the one that has stopped waits for that of the other, and for as long as it may.
      await ends(low, 'interrupted');
      const short = await submit(1, { maxDurationMs: HOUR / 2 });
      await waits(short, ['held', 1]);
      await store.withOrg(org.org, async (tx) => {
        const [kept] = await tx.deleteFrom('nomination').returningAll().execute();
        assert.ok(kept !== undefined && kept.job === urgent);
        await tx
          .insertInto('nomination')
          .values({ ...kept, until_at: 1 })
          .execute();
      });
      await submit(4);
      await leased(short);
      await ends(short, 'stopped');
      await ends(lower, 'interrupted');
      await leased(urgent);
      await until('both go on later', async () =>
        (await Promise.all([low, lower].map((job) => client.job(job)))).every(({ state }) => state === 'queued'),
      );
      assert.equal(stops().length, 2);
    },
  );

  await t.test('however many of one organisation wait, another one has its turn', async (st) => {
    const [many, one] = [await fourCpus(st, controlPlane, databaseUrl), await fourCpus(st, controlPlane, databaseUrl)];
    const first = await many.submit(9, { priority: 100 });
    await many.waits(first, ['cpu', 1]);
    const others = Array.from({ length: 600 }, () => newId('job', systemRng));
    await store.withOrg(many.org.org, async (tx) => {
      await sql`insert into job
        select (jsonb_populate_record(a_job, jsonb_build_object('job', id, 'shape', id, 'waiting_for', '[]'::jsonb, 'state', 'submitted'))).*
        from job as a_job, unnest(${others}::text[]) as id where a_job.job = ${first}`.execute(tx);
      await tx.updateTable('job').set({ state: 'queued' }).where('state', '=', 'submitted').execute();
    });
    const big = await one.submit(8);
    await one.waits(big, ['cpu', 1]);
    const more = newAgent();
    await one.custodian.send(memberOf(more));
    await one.org.dial(st, controlPlane, more).send(offerOf(more, { cpuMilli: 16_000 }));
    await one.leased(big);

    // Also where nobody says whose room came back.
    const drain = (draining: boolean) =>
      store.withOrg(one.org.org, async (tx) => {
        await tx.updateTable('party').set({ draining }).where('role', '=', 'agent').execute();
        if (draining) return;
        await raiseInventory(tx, one.org.org);
        await store.notify(tx, 'place', ['']);
      });
    await drain(true);
    const small = await one.submit(2);
    await one.waits(small, ['agent-draining', 2]);
    const waiting = await waitingOrgs(store);
    assert.ok([many, one].every(({ org }) => waiting.includes(org.org)));
    assert.deepEqual(waiting, [...new Set(waiting)].toSorted());
    await drain(false);
    await one.leased(small);
    // All of the other's were looked at meanwhile or are by and by, the last in its order too.
    await many.waits(others.toSorted().at(-1) ?? first, ['cpu', 1]);
  });

  await t.test('of each shape the first are looked at, by age and priority as the pure order has them', async (st) => {
    const { org, submit } = await fourCpus(st, controlPlane, databaseUrl);
    const [many, other] = [[] as JobId[], await submit(9, { priority: 0 })];
    for (let count = 0; count < 34; count += 1) many.push(await submit(8, { priority: count === 33 ? 51 : 50 }));
    const look = { org: org.org, now: systemClock.now(), mostInTurn: 500 };
    const { turns, more } = await waitingTurns(store, look);
    assert.deepEqual(turns, [[many[33], ...many.slice(0, 31), other]]);
    assert.ok(more);
    const later = epochMs(look.now + 200 * AGING_MS);
    const [aged] = (await waitingTurns(store, { ...look, now: later })).turns;
    assert.equal(aged?.[0], other, 'all are as urgent as can be, and it was there first');
    const submitted = [0, AGING_MS - 1, AGING_MS, 30 * AGING_MS, 1e4 * AGING_MS, -AGING_MS].map((ms) => later - ms);
    const rows = await store.withOrg(org.org, (tx) =>
      sql<{ priority: number; submitted_at: number; aged: number }>`
        select priority, submitted_at, ${agedPriorityAt(later)} as aged
        from unnest(${[0, 50, 99]}::integer[]) as priority, unnest(${submitted}::bigint[]) as submitted_at`.execute(tx),
    );
    assert.equal(rows.rows.length, 18);
    for (const { priority, submitted_at: submittedAt, aged: found } of rows.rows)
      assert.equal(Number(found), agedPriority({ job: other, priority, submittedAt }, later));
  });
});
