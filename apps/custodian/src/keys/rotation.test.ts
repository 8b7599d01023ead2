import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newId, Secret, systemRng as rng, toBase64Url } from '@ringfence/base';
import { unwrapDataKey } from '@ringfence/crypto/open';
import { sealTo, wrapDataKey, type SealInfo } from '@ringfence/crypto/seal';
import { sql } from 'kysely';
import { addDataset } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { kekError, type KekProvider } from './kek-provider.ts';
import { countWrapped, rowsOfPages, putBoxes, WRAPPED_TABLES } from './wrapped-tables.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
const crash = { at: '' };
const full = { yes: false };

/** The organisation's key elsewhere: nothing may be kept, and nothing be rotated. */
const elsewhere = { unwrapped: 0, slow: false, opens: Infinity, xor: 0x5a };
const ELSEWHERE: KekProvider = {
  kind: 'gateway',
  keepFor: 0,
  wrap: async (plaintext) => {
    if (elsewhere.slow) throw kekError('kek-slow');
    return { keyVersion: 'theirs', wrapped: plaintext.expose().map((byte) => byte ^ 0x5a) };
  },
  unwrap: async ({ wrapped }) => {
    if (elsewhere.slow) throw kekError('kek-slow');
    if (elsewhere.opens === 0) throw kekError('kek-denied');
    elsewhere.opens -= 1;
    elsewhere.unwrapped += 1;
    return new Secret(wrapped.map((byte) => byte ^ elsewhere.xor));
  },
  rotate: () => Promise.reject(kekError('kek-denied')),
  destroy: async () => ({ state: 'left-to-owner' }),
  health: async () => ({ usable: true, keyVersion: 'theirs' }),
  close: async () => {},
};

before(async () => {
  const fault = (point: string): void => {
    if (full.yes && point === 'ring-before-write') throw new Error('no space left');
    if (point !== crash.at) return;
    crash.at = '';
    throw new Error(`crash at ${point}`);
  };
  [rig, controlPlane] = await Promise.all([startRig({ fault }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

type Run<T> = Parameters<typeof rig.custodian.context.store.withOrg<T>>[1];
const inStore = <T>(run: Run<T>): Promise<T> => rig.custodian.context.store.withOrg(organisation.org, run);
const context = () => rig.custodian.context;

/** The rows of the project's keys, oldest first. */
const keks = () =>
  inStore((tx) =>
    tx.selectFrom('project_kek').select(['version', 'state', 'key_version', 'provider']).orderBy('version').execute(),
  );

/** The data keys of every wrapped row, opened. */
async function dataKeys(): Promise<string[]> {
  return inStore(async (tx) => {
    const keys: string[] = [];
    for (const table of WRAPPED_TABLES) {
      const { rows } = await rowsOfPages(tx, { table, owner: organisation, version: 0, from: 0, count: 1_000 });
      for (const row of rows) {
        const kek = await context().projectKeys.named(tx, organisation, { kek: row.kek, version: row.kek_version });
        const key = unwrapDataKey(kek, { kek: row.kek, version: row.kek_version, box: row.key_box }, row.identity);
        keys.push(Buffer.from(key.expose()).toString('hex'));
      }
    }
    return keys;
  });
}

async function rotated(): Promise<void> {
  await context().rotation.begin(organisation, { cause: 'rotated' }, organisation.device);
  await context().rotation.settled();
}

const stale = (version: number) => inStore((tx) => countWrapped(tx, organisation, version));

test('data keys lie under the project’s key, that one under the organisation’s, and that one not in the database', async () => {
  await addDataset(rig, organisation, { name: 'first', text: 'first text' });
  await organisation.client.setSecret('TOKEN', 'hush');
  assert.deepEqual(await keks(), [{ version: 1, state: 'current', key_version: '1', provider: 'built-in' }]);
  assert.equal((await stale(1)).stale, 0);
  assert.ok((await stale(1)).total >= 3);
  const file = readFileSync(join(rig.state, 'organisation-keys.sealed'));
  const ring = context().ring.key(1);
  assert.ok(ring instanceof Secret);
  assert.equal(file.includes(Buffer.from(ring.expose())), false);
});

test('rotation wraps every data key again, and destroys the keys before', async () => {
  const before = await dataKeys();
  await rotated();
  assert.deepEqual(await keks(), [
    { version: 1, state: 'destroyed', key_version: '1', provider: 'built-in' },
    { version: 2, state: 'current', key_version: '2', provider: 'built-in' },
  ]);
  assert.equal((await stale(2)).stale, 0);
  assert.deepEqual(await dataKeys(), before);
  assert.equal(context().ring.key(1), 'destroyed');
  await rig.restart();
  assert.deepEqual(await dataKeys(), before);
});

test('rows of a release without keys of projects are read as they are and wrapped again at the next start', async () => {
  const before = await dataKeys();
  const { keys, projectKeys } = context();
  await inStore(async (tx) => {
    for (const table of WRAPPED_TABLES) {
      const { rows } = await rowsOfPages(tx, { table, owner: organisation, version: 0, from: 0, count: 1_000 });
      const boxes = await Promise.all(
        rows.map(async (row) => {
          const kek = await projectKeys.named(tx, organisation, { kek: row.kek, version: row.kek_version });
          const key = unwrapDataKey(kek, { kek: row.kek, version: row.kek_version, box: row.key_box }, row.identity);
          return { row, ...wrapDataKey(keys.kek, key, row.identity, rng) };
        }),
      );
      await putBoxes(tx, table, boxes);
    }
  });
  assert.deepEqual(await dataKeys(), before);
  await rig.restart();
  await context().rotation.settled();
  assert.equal((await stale(2)).stale, 0);
  assert.deepEqual(await dataKeys(), before);
});

test('a rotation that ended at any step goes on where it was, and no key is lost or half rotated', async () => {
  const before = await dataKeys();
  for (const point of [
    'rotation-after-provider',
    'rotation-before-commit',
    'rotation-after-commit',
    'rewrap-before-commit',
    'rewrap-after-commit',
    'kek-before-destroy',
    'kek-after-destroy',
  ]) {
    crash.at = point;
    await rotated().catch(() => undefined);
    assert.equal(crash.at, '', point);
    assert.deepEqual((await dataKeys()).toSorted(), before.toSorted(), point);
    await rig.restart();
    await context().rotation.settled();
    const now = await keks();
    assert.deepEqual(
      now.filter(({ state }) => state !== 'destroyed').map(({ state }) => state),
      ['current'],
      point,
    );
    assert.equal((await stale(now.at(-1)?.version ?? 0)).stale, 0, point);
    assert.deepEqual((await dataKeys()).toSorted(), before.toSorted(), point);
    assert.ok(context().ring.live.length <= 2, point);
  }
});

test('what is written while keys are rotated comes to lie under the new one', async () => {
  const client = await rig.client(organisation.tls);
  const writes = Array.from({ length: 24 }, (_, at) => client.setSecret(`S${at % 6}`, `value ${at}`));
  await Promise.all([...writes, rotated()]);
  await context().rotation.settled();
  const now = (await keks()).at(-1)?.version ?? 0;
  assert.equal((await stale(now)).stale, 0);
  assert.equal((await dataKeys()).length, (await stale(now)).total);
});

test('two rotations at once: one begins', async () => {
  const begun = await Promise.allSettled(
    [0, 1].map(() => context().rotation.begin(organisation, { cause: 'rotated' }, organisation.device)),
  );
  await context().rotation.settled();
  assert.ok(begun.some(({ status }) => status === 'fulfilled'));
  assert.equal((await keks()).filter(({ state }) => state !== 'destroyed').length, 1);
});

test('a key that is brought, sealed to the custodian, becomes the organisation’s; anything else is refused and changes nothing', async () => {
  const client = await rig.client(organisation.tls);
  const before = await dataKeys();
  const { transportKey, org } = await client.keys.status();
  const brought = rng.bytes(32);
  const aad = new Uint8Array();
  const seal = async (bytes: Uint8Array, info: SealInfo): Promise<{ sealed: string }> => ({
    sealed: toBase64Url(await sealTo(transportKey, { info, aad }, bytes)),
  });
  const was = await keks();
  for (const wrong of [
    await seal(rng.bytes(31), { purpose: 'kek', org }),
    await seal(new Uint8Array(32), { purpose: 'kek', org }),
    await seal(brought, { purpose: 'kek', org: newId('org', rng) }),
    await seal(brought, { purpose: 'workload', org, job: newId('job', rng) }),
    { sealed: toBase64Url(rng.bytes(1_168)) },
  ])
    await assert.rejects(client.keys.import(wrong), { code: 'bad-request' });
  assert.deepEqual(await keks(), was);
  await client.keys.import(await seal(brought, { purpose: 'kek', org }));
  await context().rotation.settled();
  const { ring } = context();
  const current = ring.key(ring.current ?? 0);
  assert.ok(current instanceof Secret);
  assert.deepEqual(Buffer.from(current.expose()), Buffer.from(brought));
  assert.deepEqual(ring.live, [ring.current]);
  assert.deepEqual((await dataKeys()).toSorted(), before.toSorted());
  const { rotation, providers } = await client.keys.status();
  assert.equal(rotation?.cause, 'imported');
  assert.ok(rotation.finishedAt !== null && rotation.done === rotation.total);
  assert.deepEqual(
    providers.map(({ name, chosen, failure }) => [name, chosen, failure]),
    [['built-in', true, null]],
  );
});

test('a state folder that is full leaves the keys as they were', async () => {
  const was = await keks();
  const [ring, live] = [context().ring, context().ring.live];
  const file = join(rig.state, 'organisation-keys.sealed');
  const bytes = readFileSync(file);
  full.yes = true;
  await assert.rejects(context().rotation.begin(organisation, { cause: 'rotated' }, organisation.device), {
    message: 'no space left',
  });
  full.yes = false;
  assert.deepEqual(await keks(), was);
  assert.deepEqual(ring.live, live);
  assert.deepEqual(readFileSync(file), bytes);
  await rotated();
  assert.equal((await keks()).length, was.length + 1);
});

test('another holder of the organisation’s key: the built-in one is destroyed, and one that refuses to rotate is no obstacle', async () => {
  const before = await dataKeys();
  const client = await rig.client(organisation.tls);
  await assert.rejects(client.keys.move('nowhere'), { code: 'not-found' });
  const { providers } = context().projectKeys;
  assert.ok(providers instanceof Map);
  providers.set('elsewhere', ELSEWHERE);
  await client.keys.move('elsewhere');
  await context().rotation.settled();
  assert.deepEqual(context().ring.live, []);
  assert.equal((await keks()).at(-1)?.provider, 'elsewhere');
  await rotated();
  assert.deepEqual((await dataKeys()).toSorted(), before.toSorted());
  const asked = elsewhere.unwrapped;
  await dataKeys();
  assert.ok(elsewhere.unwrapped > asked, 'nothing is kept that may not be');
  elsewhere.slow = true;
  await assert.rejects(client.setSecret('TOKEN', 'other'), { code: 'kek-slow' });
  await assert.rejects(client.openArtifact('first'), { code: 'kek-slow' });
  elsewhere.slow = false;
  await client.keys.move('built-in');
  await context().rotation.settled();
  assert.deepEqual((await dataKeys()).toSorted(), before.toSorted());
  assert.equal(context().ring.live.length, 1);
});

test('a provider that does not open what it wrapped gets nothing, and one that ceases to is left again', async () => {
  const before = await dataKeys();
  const client = await rig.client(organisation.tls);
  const was = await keks();
  elsewhere.opens = 0;
  await assert.rejects(client.keys.move('elsewhere'), { code: 'kek-denied' });
  [elsewhere.opens, elsewhere.xor] = [Infinity, 0x5b];
  await assert.rejects(client.keys.move('elsewhere'), { code: 'kek-tampered' });
  elsewhere.xor = 0x5a;
  assert.deepEqual(await keks(), was);
  // It opens what it is asked to show, and nothing after.
  elsewhere.opens = 1;
  await client.keys.move('elsewhere');
  await context().rotation.settled();
  assert.equal((await client.keys.status()).rotation?.stalled, 'kek-denied');
  await assert.rejects(client.keys.rotate(), { code: 'conflict' });
  await client.keys.move('built-in');
  await context().rotation.settled();
  const { rotation } = await client.keys.status();
  assert.deepEqual([rotation?.cause, rotation?.stalled], ['moved', null]);
  assert.deepEqual(
    (await keks()).filter(({ state }) => state !== 'destroyed').map(({ provider }) => provider),
    ['built-in'],
  );
  assert.deepEqual((await dataKeys()).toSorted(), before.toSorted());
});

test('a box that was changed stops the rotation, and the old key stays', async () => {
  await inStore((tx) => sql`update secret set key_box = translate(key_box, 'abcdefgh', 'bcdefgha')`.execute(tx));
  const was = await keks();
  await rotated();
  const now = await keks();
  assert.deepEqual(
    now.slice(-2).map(({ state }) => state),
    ['retiring', 'current'],
  );
  assert.equal(now.length, was.length + 1);
});
