import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Secret, systemRng as rng } from '@ringfence/base';
import { unwrapDataKey } from '@ringfence/crypto/open';
import { wrapDataKey } from '@ringfence/crypto/seal';
import { readStatement } from '@ringfence/keyring';
import { addDataset } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import type { KekProvider } from './kek-provider.ts';
import { putBoxes, rowsOfPages, WRAPPED_TABLES } from './wrapped-tables.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;

/** A provider whose answers wait while there is a gate, and may be kept for long. */
const asked = { times: 0, gate: Promise.resolve() };
const SLOW: KekProvider = {
  kind: 'gateway',
  keepFor: 300_000,
  wrap: async (plaintext) => ({ keyVersion: 'theirs', wrapped: plaintext.expose().map((byte) => byte ^ 0x5a) }),
  unwrap: async ({ wrapped }) => {
    asked.times += 1;
    await asked.gate;
    return new Secret(wrapped.map((byte) => byte ^ 0x5a));
  },
  rotate: async () => ({ keyVersion: 'theirs' }),
  destroy: async () => ({ state: 'destroyed' }),
  health: async () => ({ usable: true, keyVersion: 'theirs' }),
  close: async () => {},
};

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  await addDataset(rig, organisation, { name: 'kept', text: 'kept text' });
  const { providers } = context().projectKeys;
  assert.ok(providers instanceof Map);
  providers.set('slow', SLOW);
  await organisation.client.keys.move('slow');
  await context().rotation.settled();
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const context = () => rig.custodian.context;
const inStore = <T>(run: Parameters<typeof rig.custodian.context.store.withOrg<T>>[1]): Promise<T> =>
  context().store.withOrg(organisation.org, run);
const named = (kek: string, version: number) =>
  inStore((tx) => context().projectKeys.named(tx, organisation, { kek, version }));

/** Asks for the project's second key, and does `meanwhile` while its provider has not answered. */
async function whileAsked(meanwhile: () => Promise<unknown>): Promise<void> {
  const { times } = asked;
  const gate = Promise.withResolvers<void>();
  asked.gate = gate.promise;
  const late = named(organisation.project, 2);
  for (let turn = 0; turn < 10_000 && asked.times === times; turn += 1) await new Promise(setImmediate);
  assert.equal(asked.times, times + 1, 'the provider is asked');
  await meanwhile();
  gate.resolve();
  await late;
}

test('what a provider answers after keys were forgotten serves who asked, and is not kept', async () => {
  const { projectKeys } = context();
  projectKeys.forget();
  await whileAsked(async () => projectKeys.forget());
  const { times } = asked;
  await named(organisation.project, 2);
  assert.equal(asked.times, times + 1, 'the answer from before is not there');
  await named(organisation.project, 2);
  assert.equal(asked.times, times + 1, 'the one from after is');
});

test('what is kept is not given out once its row says that it is destroyed', async () => {
  await named(organisation.project, 2);
  const undone = inStore(async (tx) => {
    const end = { state: 'destroyed', box: null, destroyed_at: 1 } as const;
    await tx.updateTable('project_kek').set(end).where('version', '=', 2).execute();
    await context().projectKeys.named(tx, organisation, { kek: organisation.project, version: 2 });
  });
  await assert.rejects(undone, { code: 'kek-destroyed' });
  await named(organisation.project, 2);
});

test('after a shred nothing opens: not by a late answer, and not by what still lies under the key of an earlier release', async () => {
  const { keys, projectKeys } = context();
  const table = WRAPPED_TABLES.find((one) => one.table === 'chunk');
  assert.ok(table);
  const chunks = await inStore(async (tx) => {
    const { rows } = await rowsOfPages(tx, { table, owner: organisation, version: 0, from: 0, count: 1_000 });
    const from = await projectKeys.named(tx, organisation, { kek: organisation.project, version: 2 });
    const boxes = rows.map((row) => {
      const key = unwrapDataKey(from, { kek: row.kek, version: row.kek_version, box: row.key_box }, row.identity);
      return { row, ...wrapDataKey(keys.kek, key, row.identity, rng) };
    });
    await putBoxes(tx, table, boxes);
    return tx.selectFrom('chunk').selectAll().execute();
  });
  const ids = chunks.map(({ id }) => id);
  assert.equal((await organisation.client.presentChunks(ids)).length, ids.length);
  assert.ok(ids.length > 0);
  projectKeys.forget();
  await whileAsked(() => organisation.client.keys.shred({ kind: 'project', id: organisation.project }));
  await assert.rejects(named(organisation.project, 2), { code: 'kek-destroyed' });
  assert.deepEqual(await organisation.client.presentChunks(ids), []);
  // Rows that came back, of a copy, are of no use here either.
  await inStore((tx) => tx.insertInto('chunk').values(chunks).execute());
  await assert.rejects(organisation.client.presentChunks(ids), { code: 'kek-destroyed' });
  // Nor is a first key made for a project that came to its tombstone without one.
  await inStore((tx) =>
    tx
      .updateTable('project_kek')
      .set({ project: 'prj_other' as never })
      .execute(),
  );
  await assert.rejects(organisation.client.setSecret('TOKEN', 'hush'), { code: 'shredded' });
  // And one that was made while it was shredded is not used.
  const late = await projectKeys.make(organisation, 1, 'slow');
  await inStore((tx) => tx.insertInto('project_kek').values(late).execute());
  await assert.rejects(organisation.client.setSecret('TOKEN', 'hush'), { code: 'shredded' });
  await assert.rejects(organisation.client.keys.rotate(), { code: 'shredded' });
  await assert.rejects(named(organisation.project, 1), { code: 'kek-destroyed' });
});

test('an organisation is shredded although a provider of before is configured no more: that one is left to its owner', async () => {
  const { providers } = context().projectKeys;
  assert.ok(providers instanceof Map);
  providers.delete('slow');
  const tombstone = await organisation.client.keys.shred({ kind: 'organisation', id: organisation.org });
  assert.equal(readStatement('tombstone', tombstone).claimed.organisationKey, 'left-to-owner');
});
