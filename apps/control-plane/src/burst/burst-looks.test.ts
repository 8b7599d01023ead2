import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, silentLog, systemRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { burstDecisionStatement, type BurstDecisionStatement } from '@ringfence/protocol/statements';
import { cleanUp, ShiftedClock, until } from '../control-plane.fixture.ts';
import type { FaultPoint } from '../fault-points.ts';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '../jobs/clock-terms.ts';
import { LeaseRenewals } from '../jobs/lease-renewals.ts';
import { verifyStatement } from '../jobs/verified-statement.ts';
import type { TestAgent } from '../organisation.fixture.ts';
import { HOUR_PRICE, leaving, moneyOf, poolOf, startPoolHouse, type PoolHouse } from './pool.fixture.ts';

async function decisionsOf({ client }: PoolHouse): Promise<BurstDecisionStatement[]> {
  const { decisions } = await client.poolDecisions();
  const { keys } = await client.about();
  const { leases } = JSON.parse(fromUtf8(Buffer.from(keys.payload, 'base64')));
  return decisions.map((decision) =>
    burstDecisionStatement.parse(verifyStatement('burst-decision', decision, leases).body),
  );
}

const typesOf = (decisions: readonly BurstDecisionStatement[]): string[] =>
  decisions.map(({ decision }) => decision.type);

test('the gate opens after enough looks and closes after enough, not before, each with a signed reason', async (t) => {
  const clock = new ShiftedClock();
  const house = await startPoolHouse(t, { clock });
  const { org, client } = house;
  await house.fillHome();
  const terms = { highLooks: 3, lowLooks: 2, minLifetimeMs: 3_600_000, cooldownMs: 3_600_000, mostAtOnce: 1 };
  await client.setPool(poolOf(org, 1, terms));
  const { job } = await client.submit(leaving(org));
  await until('it opens', async () => (await client.pool()).gate.state === 'open');
  await until('it left', async () => (await client.job(job)).state === 'leased');
  const [opened] = await decisionsOf(house);
  assert.deepEqual([opened?.decision.type, opened?.pressure, opened?.looks, opened?.seq], ['open', 'high', 3, 1]);
  assert.deepEqual({ ...opened?.queue, longestWaitMs: 0 }, { waiting: 1, mayBurst: 1, longestWaitMs: 0 });
  assert.ok((opened?.queue?.longestWaitMs ?? 0) > 3_500_000);
  // Nothing waits any more, but it has not been open for long enough.
  await until('it is calm', async () => {
    const { gate } = await client.pool();
    return gate.pressure === 'low' && gate.looks >= 3;
  });
  assert.equal((await client.pool()).gate.state, 'open');
  clock.shift(3_600_000);
  await until('it closes', async () => (await client.pool()).gate.state === 'closed');
  assert.deepEqual(typesOf(await decisionsOf(house)).slice(0, 3), ['open', 'close', 'cordon']);
});

test('return: cordon, stop, deletion, keys, release, in this order; what is not asked for or not signed by the agent counts for nothing', async (t) => {
  const clock = new ShiftedClock();
  const house = await startPoolHouse(t, { clock });
  const { org, client, away, custodian } = house;
  await house.fillHome();
  // It opens once: later the job waits at home for a moment.
  await client.setPool(poolOf(org, 1, { cooldownMs: 86_400_000, highLooks: 5 }));
  const { job } = await client.submit(leaving(org));
  await until('it left', async () => (await client.job(job)).state === 'leased');
  await away.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'running' } });
  await until('it was looked at since it closed', async () => {
    const { gate } = await client.pool();
    return gate.state === 'closed' && gate.looks >= 4;
  });
  assert.equal((await client.pool()).away[0]?.moving, false, 'home is full');
  await house.freeHome();
  const stops = () => away.messages.flatMap((message) => (message.name === 'stop' ? [message.body] : []));
  await until('it is told to come back', () => stops().length === 1);
  assert.deepEqual(stops(), [{ job, attempt: 1, graceMs: 120_000, reason: 'drain' }]);
  const offers = await client.offers();
  assert.equal(offers.find(({ offer }) => offer === away.agent.offer)?.cordoned, true);
  assert.ok(
    away.messages.every(({ name }) => name !== 'delete-data'),
    'nothing is deleted while it runs',
  );
  clock.shift(1_800_000);
  await away.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'interrupted' } });
  await until('it goes on at home', async () => (await client.job(job)).attempts.length === 2);
  const asked = () => away.messages.flatMap((message) => (message.name === 'delete-data' ? [message.body] : []));
  await until('deletion is asked for', () => asked().length === 1);
  const [order] = asked();
  if (order === undefined) assert.fail();
  assert.deepEqual(order.attempts, [{ job, attempt: 1 }]);
  const shreds = () => custodian.messages.flatMap((message) => (message.name === 'shred-keys' ? [message.body] : []));
  await until('keys are asked for', () => shreds().length === 1);
  assert.deepEqual(shreds()[0], { ...order, agent: away.agent.id });
  const { spent } = await moneyOf(house);
  assert.ok(spent >= 500_000 && spent < 520_000, `half an hour was ${spent}`);

  const statement = (attempts: typeof order.attempts, key: SigningKey) =>
    signStatement(
      'deletion',
      { v: 1, org: org.org, agent: away.agent.id, request: order.request, attempts, at: clock.now() },
      [key],
    );
  const { request } = order;
  await away.send({
    name: 'deleted',
    body: { request, statement: statement(order.attempts, SigningKey.generate(systemRng)) },
  });
  await away.send({ name: 'deleted', body: { request, statement: statement([{ job, attempt: 2 }], away.agent.sign) } });
  await custodian.send({ name: 'keys-shredded', body: order });
  await until('keys are gone', async () => (await client.pool()).offers[0]?.keysShredded === true);
  assert.equal((await client.pool()).offers[0]?.deletionSigned, false);
  await away.send({ name: 'deleted', body: { request, statement: statement(order.attempts, away.agent.sign) } });
  await until('it is given back', async () => (await client.pool()).offers.length === 0);
  await until('the custodian has the word', () => shreds().some(({ deletion }) => deletion !== undefined));
  const decisions = await decisionsOf(house);
  assert.deepEqual(typesOf(decisions), ['open', 'close', 'cordon', 'move', 'ask-deletion', 'shred-keys', 'release']);
  assert.deepEqual(
    decisions.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7],
  );
  const { decision } = decisions.at(-1) ?? assert.fail();
  assert.ok(decision.type === 'release' && decision.deletion === 'signed' && decision.deletions.length === 1);
  assert.equal((await client.poolDecisions()).deletions.length, 1);
  assert.equal((await client.offers()).find(({ offer }) => offer === away.agent.offer)?.cordoned, false);
  const { costs } = await client.pool();
  assert.deepEqual([costs.runs, costs.spent >= 500_000, costs.mostAwayAtOnce], [1, true, 1]);
});

test('a provider that never signs: the machine is given back after a day, and the decision says so', async (t) => {
  const clock = new ShiftedClock();
  const house = await startPoolHouse(t, { clock });
  const { org, client, away, custodian } = house;
  await house.fillHome();
  await client.setPool(poolOf(org, 1));
  const { job } = await client.submit(leaving(org));
  await until('it left', async () => (await client.job(job)).state === 'leased');
  await away.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'failed' } });
  const shreds = () => custodian.messages.flatMap((message) => (message.name === 'shred-keys' ? [message.body] : []));
  await until('keys are asked for', () => shreds().length > 0);
  for (const { request, attempts } of shreds())
    await custodian.send({ name: 'keys-shredded', body: { request, attempts } });
  await until('keys are gone', async () => (await client.pool()).offers.every(({ keysShredded }) => keysShredded));
  clock.shift(86_400_000);
  await until('it is given back', async () => typesOf(await decisionsOf(house)).includes('release'));
  const release = (await decisionsOf(house)).find(({ decision }) => decision.type === 'release')?.decision;
  assert.deepEqual(release?.type === 'release' && [release.deletion, release.deletions], ['missing', []]);
});

test('no lease is renewed past what the budget covers, and those at home go on', async (t) => {
  const clock = new ShiftedClock();
  const house = await startPoolHouse(t, { clock });
  const { org, client, away, store } = house;
  await house.fillHome();
  await client.setPool(poolOf(org, 1, { minLifetimeMs: 86_400_000, overheadMs: 60_000 }));
  const { job } = await client.submit(leaving(org, { maxDurationMs: 600_000 }));
  await until('it left', async () => (await client.job(job)).state === 'leased');
  const ask = async ({ id }: { readonly id: TestAgent['id'] }) => {
    const row = await store.withOrg(org.org, (tx) =>
      tx.selectFrom('party').select(['connection', 'replica']).where('id', '=', id).executeTakeFirstOrThrow(),
    );
    const renewals = new LeaseRenewals({ store, clock, log: silentLog, replica: row.replica ?? '' });
    cleanUp(t, () => renewals.close());
    const leases = await renewals.renew({ org: org.org, agent: id, connection: row.connection });
    return leases?.map((lease) => lease.job);
  };
  const untilOf = async () => (await client.pool()).away[0]?.coveredUntil ?? assert.fail();
  assert.deepEqual(await ask(away.agent), [job]);
  // Its longest run and what preparing may take, from when it was placed.
  const left = (await untilOf()) - clock.now();
  assert.ok(left > 600_000 && left <= 660_000, String(left));
  clock.shift(left - LEASE_TTL_MS - LEASE_GRACE_MS - 2_000);
  assert.deepEqual(await ask(away.agent), [job]);
  clock.shift(2_000);
  assert.deepEqual(await ask(away.agent), [], 'it is answered, and not renewed');
  assert.equal((await ask(org.agent))?.length, 1);
});

test('a placement that is rolled back reserves nothing', async (t) => {
  let failing = false;
  let failed = 0;
  const fault = (point: FaultPoint): void => {
    if (point !== 'place-before-commit' || !failing) return;
    failed += 1;
    throw new Error('the transaction ends here');
  };
  const house = await startPoolHouse(t, { fault });
  const { org, client } = house;
  await house.fillHome();
  await client.setPool(poolOf(org, 1));
  failing = true;
  const { job } = await client.submit(leaving(org));
  await until('it was placed in vain', () => failed > 0);
  assert.deepEqual(await moneyOf(house), { spent: 0, reserved: 0 });
  assert.deepEqual((await client.pool()).offers, []);
  failing = false;
  await until('it leaves', async () => (await client.job(job)).state === 'leased');
  assert.deepEqual(await moneyOf(house), { spent: 0, reserved: HOUR_PRICE.microUnits });
});
