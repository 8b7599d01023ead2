import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, newId, systemRng, type JobId } from '@ringfence/base';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import { receiptStatement, type PlacementPart } from '@ringfence/protocol/statements';
import { ShiftedClock, startReplica, until } from '../control-plane.fixture.ts';
import { HOUR_PRICE, leaving, moneyOf, offersOf, poolOf, startPoolHouse, TERMS } from './pool.fixture.ts';

test('without a pool jobs leave at once; with one they wait for the gate, and the receipt names what the budget holds', async (t) => {
  const house = await startPoolHouse(t);
  const { org, client, away } = house;
  await house.fillHome();
  const { job: free } = await client.submit(leaving(org));
  await until('it leaves', async () => (await client.job(free)).state === 'leased');
  await assert.rejects(client.pool(), { code: 'not-found' });

  // Its own look never opens: a wait of an hour is not long.
  const patient = { highWaitMs: 7_200_000 };
  const before = await client.setPool(poolOf(org, 1, patient));
  assert.deepEqual([before.seq, before.gate.state, before.budget.reserved], [1, 'closed', 0]);
  const { job } = await client.submit(leaving(org));
  await until('it waits', async () => (await client.job(job)).waitingFor.length > 0);
  assert.deepEqual((await client.why(job)).notAway, ['gate-closed']);
  assert.ok((await client.job(job)).waitingFor.some(({ constraint }) => constraint === 'tier'));
  await client.setPool(poolOf(org, 2));
  await until('the gate opens', async () => (await client.pool()).gate.state === 'open');
  await until('it leaves', async () => (await client.job(job)).state === 'leased');
  const [attempt] = (await client.job(job)).attempts;
  const receipt = receiptStatement.parse(JSON.parse(fromUtf8(Buffer.from(attempt?.receipt.payload ?? '', 'base64'))));
  assert.equal(receipt.chosen.offer, away.agent.offer);
  assert.deepEqual(receipt.budget?.reserved, HOUR_PRICE.microUnits);
  assert.equal(receipt.budget?.currency, 'EUR');
  const { budget, away: attempts, offers } = await client.pool();
  assert.equal(budget.left, TERMS.budget.microUnits - HOUR_PRICE.microUnits);
  assert.deepEqual(
    attempts.map((each) => each.job),
    [job],
    'what left before there was a pool is none of its',
  );
  assert.deepEqual(
    offers.map(({ phase, jobs }) => ({ phase, jobs })),
    [{ phase: 'used', jobs: 1 }],
  );
});

test('a pool is taken from its signed statement alone, and only the next one', async (t) => {
  const house = await startPoolHouse(t);
  const { org, client } = house;
  await assert.rejects(client.setPool(poolOf(org, 2)), { code: 'conflict' });
  await client.setPool(poolOf(org, 1));
  await client.setPool(poolOf(org, 2));
  for (const seq of [1, 2, 4, Number.MAX_SAFE_INTEGER])
    await assert.rejects(client.setPool(poolOf(org, seq, { mostAtOnce: 1 })), { code: 'conflict' });
  assert.equal((await client.pool()).seq, 2);
  const bad = { highWaitMs: 50_000, lowWaitMs: 30_000 };
  await assert.rejects(client.setPool(poolOf(org, 3, bad)), { code: 'bad-statement' });
  const { payload, ...rest } = poolOf(org, 3);
  const more = fromUtf8(Buffer.from(payload, 'base64')).replace('"microUnits":10000000', '"microUnits":90000000');
  const forged = { ...rest, payload: Buffer.from(more).toString('base64') };
  await assert.rejects(client.setPool(forged), { code: 'bad-statement' });
  assert.equal((await client.pool()).budget.microUnits, 10_000_000);
  assert.deepEqual(await moneyOf(house), { spent: 0, reserved: 0 });
});

test('64 jobs race for a budget of ten on two replicas: it is never exceeded, and what was not reserved waits', async (t) => {
  const house = await startPoolHouse(t);
  const { org, client, databaseUrl } = house;
  await startReplica(t, { databaseUrl });
  await house.fillHome();
  await client.setPool(poolOf(org, 1));
  const jobs = await Promise.all(Array.from({ length: 64 }, () => client.submit(leaving(org))));
  await until('ten have left', async () => (await offersOf(house)).length === 11);
  await until('the others say why', async () => {
    const views = await Promise.all(jobs.map(({ job }) => client.job(job)));
    return views.every(({ state, waitingFor }) => state === 'leased' || waitingFor.length > 0);
  });
  assert.deepEqual(await moneyOf(house), { spent: 0, reserved: 10_000_000 });
  assert.equal((await offersOf(house)).length, 11);
  const waiting = await Promise.all(jobs.map(({ job }) => client.job(job)));
  const [first] = waiting.filter(({ state }) => state === 'queued');
  assert.deepEqual((await client.why(first?.job ?? assert.fail())).notAway, ['budget']);
});

test('work that may not leave stays, whatever the gate says: restricted, and what keeps on through a partition', async (t) => {
  const house = await startPoolHouse(t);
  const { org, client } = house;
  await house.fillHome();
  await client.setPool(poolOf(org, 1));
  const { job } = await client.submit(leaving(org));
  await until('the gate is open', async () => (await client.job(job)).state === 'leased');
  const keeps = await client.submit(leaving(org, { onPartition: 'keep' }));
  const stays = await client.submit(org.submission({ sensitivity: 'restricted' }));
  for (const { job: id } of [keeps, stays]) {
    await until('it waits', async () => (await client.job(id)).waitingFor.length > 0);
    assert.deepEqual((await client.job(id)).attempts, []);
  }
  assert.deepEqual((await client.why(keeps.job)).notAway, ['keeps-on']);
  assert.deepEqual((await client.why(stays.job)).notAway, ['may-not-leave']);
});

test('room at home is kept for a gang that may leave as well: what the market would cost is asked of nobody else', async (t) => {
  const house = await startPoolHouse(t);
  const { org, client } = house;
  // Nobody looks so often: the gate stays closed, so that all wait for the four CPUs at home.
  await client.setPool(poolOf(org, 1, { highLooks: 1_000 }));
  const cpus = (count: number, change: Partial<PlacementPart> = {}) =>
    leaving(org, { resources: { ...SAMPLE_PLACEMENT.resources, cpuMilli: count * 1_000 }, ...change });
  const waitsFor = (job: JobId, constraint: string) =>
    until(`it waits for ${constraint}`, async () => {
      const { state, waitingFor } = await client.job(job);
      return state === 'queued' && waitingFor.some((each) => each.constraint === constraint);
    });
  const { job: first } = await client.submit(cpus(1));
  await until('it runs at home', async () => (await client.job(first)).state === 'leased');
  const gang = { id: newId('gang', systemRng), size: 2 };
  for (const { job } of [await client.submit(cpus(2, { gang })), await client.submit(cpus(2, { gang }))])
    await waitsFor(job, 'gang-room');
  const { job: long } = await client.submit(cpus(1, { maxDurationMs: 3 * 3_600_000 }));
  await waitsFor(long, 'held');
  const { job: short } = await client.submit(cpus(1, { maxDurationMs: 1_800_000 }));
  await until('it ends before the gang could start', async () => (await client.job(short)).state === 'leased');
  const hours = await house.store.withOrg(org.org, (tx) =>
    tx.selectFrom('pool_attempt').select(['job', 'away', 'market_hour']).orderBy('since').execute(),
  );
  const atHome = { away: false, market_hour: HOUR_PRICE.microUnits };
  assert.deepEqual(hours, [
    { job: first, ...atHome },
    { job: short, ...atHome },
  ]);
});

test('a job without a home that the pool keeps from leaving is told so: it waits for a tier, and each offer is counted', async (t) => {
  const house = await startPoolHouse(t);
  const { org, client, away } = house;
  await client.setPool(poolOf(org, 1, { mostAtOnce: 0 }));
  const { job } = await client.submit(leaving(org, { tiers: ['secure-cloud'] }));
  await until('it waits', async () => (await client.job(job)).waitingFor.length > 0);
  assert.deepEqual((await client.job(job)).waitingFor, [{ constraint: 'tier', count: 2 }]);
  const why = await client.why(job);
  assert.deepEqual(
    [why.considered, why.refused, why.looserThanLabel, why.relaxations, why.notAway],
    [2, [{ constraint: 'tier', count: 2 }], [], [], ['most-at-once']],
  );
  assert.deepEqual(await client.whyNot(job, away.agent.offer), { fits: false, failed: ['tier'] });
});

test('the currency stays while anything was spent in the period, and costs are counted from when there was a pool', async (t) => {
  const clock = new ShiftedClock();
  const house = await startPoolHouse(t, { clock });
  const { org, client, away } = house;
  const begun = clock.now();
  await client.setPool(poolOf(org, 1));
  const { costs } = await client.pool();
  assert.ok(costs.from >= begun, 'not from the beginning of the period');
  assert.ok(costs.hybrid <= 400_000, 'own machines cost nothing of the time before');
  const { job } = await client.submit(leaving(org, { tiers: ['secure-cloud'] }));
  await until('it left', async () => (await client.job(job)).state === 'leased');
  assert.equal((await client.pool()).offers[0]?.jobs, 1);
  clock.shift(60_000);
  await away.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'failed' } });
  await until('it is settled', async () => (await client.pool()).budget.spent > 0);
  assert.notEqual((await client.pool()).offers[0]?.jobs, 1, 'what is over has not to be moved');
  const dollars = (seq: number) => poolOf(org, seq, { budget: { ...TERMS.budget, currency: 'USD' } });
  await assert.rejects(client.setPool(dollars(2)), { code: 'conflict', message: /something was spent/ });
  const { periodMs } = TERMS.budget;
  clock.shift(periodMs - (clock.now() % periodMs));
  const next = clock.now();
  await client.setPool(dollars(2));
  const changed = await client.pool();
  assert.deepEqual([changed.budget.currency, changed.budget.spent, changed.costs.runs], ['USD', 0, 0]);
  assert.ok(changed.costs.from >= next);
});
