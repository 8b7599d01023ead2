import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, newId, systemRng as rng, type AgentId } from '@ringfence/base';
import type { LogAccusation } from '@ringfence/protocol/payload';
import { joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { countAccusations, keepAccusation, NEWEST_KEPT } from './accusations.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agents: TestAgent[];
before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agents = [await joinRig(rig, organisation, 'one'), await joinRig(rig, organisation, 'two')];
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const accusation = (index: number, at = index): LogAccusation => ({
  origin: 'ringfence/of/this',
  fault: 'rewritten',
  at: epochMs(1_800_000_000_000 + at),
  index,
  until: index + 1,
});

/** As its route does. */
const file = (agent: AgentId, said: LogAccusation): Promise<void> =>
  keepAccusation(rig.custodian.context, organisation.org, agent, said);

async function recorded(witness: AgentId): Promise<number> {
  const { context } = rig.custodian;
  const rows = await context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('event').select('body').where('type', '=', 'log-accused').execute(),
  );
  return rows.filter(({ body }) => Buffer.from(body).includes(witness)).length;
}

test('a witness that floods keeps its first and its newest, all are counted, and another one’s is seen', async () => {
  const [loud, quiet] = agents;
  assert.ok(loud && quiet);
  // What it says of times moves nothing.
  const count = 200;
  for (let index = 0; index < count; index += 1) await file(loud.id, accusation(index, 1_000 - index));
  await quiet.client.auditWord({ word: 'accuses', accusation: accusation(7) });
  await file(loud.id, accusation(count));
  await file(loud.id, accusation(count, 5));
  const { accusers, next } = await organisation.client.auditAccusers('');
  assert.equal(next, null);
  const of = (agent: TestAgent) => accusers.find(({ witness }) => witness === agent.id);
  assert.equal(of(loud)?.filed, count + 1, 'the same again is not counted');
  assert.deepEqual(
    of(loud)?.accusations.map(({ index }) => index),
    [0, ...Array.from({ length: NEWEST_KEPT }, (_, at) => count + 1 - NEWEST_KEPT + at)],
  );
  assert.deepEqual([of(quiet)?.filed, of(quiet)?.accusations.map(({ index }) => index)], [1, [7]]);
  const glance = (await organisation.client.auditWitnessed()).accusations.slice(0, 2);
  assert.deepEqual(new Set(glance.map(({ witness }) => witness)), new Set([loud.id, quiet.id]));
  assert.equal(await recorded(quiet.id), 1);
  // The first twenty, then 32, 64 and 128.
  assert.equal(await recorded(loud.id), NEWEST_KEPT + 1 + 3);
  assert.equal(await countAccusations(rig.custodian.context, organisation.org), count + 2);
});

test('however many witnesses there are, each is listed', async () => {
  const crowd = Array.from({ length: 130 }, () => newId('agent', rng));
  for (const agent of crowd) await file(agent, accusation(1));
  const listed: string[] = [];
  for (let behind: string | null = ''; behind !== null;) {
    const { accusers, next } = await organisation.client.auditAccusers(behind);
    listed.push(...accusers.map(({ witness }) => witness));
    behind = next;
  }
  assert.deepEqual(listed, [...crowd, ...agents.map(({ id }) => id)].toSorted());
  assert.equal((await organisation.client.auditWitnessed()).accusations.length, 100);
});

test('the same accusation twice at once counts once', async () => {
  const agent = newId('agent', rng);
  await Promise.all(Array.from({ length: 8 }, () => file(agent, accusation(3))));
  const { accusers } = await organisation.client.auditAccusers(`${agent.slice(0, -1)}`);
  assert.equal(accusers.find(({ witness }) => witness === agent)?.filed, 1);
});
