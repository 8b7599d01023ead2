import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkTombstone } from '@ringfence/keyring';
import { addDataset, ask, depositTestJob, grantBody, joinRig } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { finishShredding } from './shred-keys.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
const crash = { at: '' };

before(async () => {
  const fault = (point: string): void => {
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

const context = () => rig.custodian.context;
const inStore = <T>(run: Parameters<typeof rig.custodian.context.store.withOrg<T>>[1]): Promise<T> =>
  context().store.withOrg(organisation.org, run);

test('the id of something else destroys nothing', async () => {
  await addDataset(rig, organisation, { name: 'kept', text: 'kept text' });
  const { project, org } = organisation;
  const other = `prj_${'a'.repeat(26)}` as typeof project;
  await assert.rejects(organisation.client.keys.shred({ kind: 'project', id: other }), { code: 'conflict' });
  assert.equal((await organisation.client.openArtifact('kept')).artifact.version, 1);
  assert.deepEqual((await organisation.client.keys.status()).tombstones, []);
  assert.equal((await organisation.client.keys.status()).org, org);
});

test('a project is shredded whole, whenever the process dies, and its tombstone verifies', async () => {
  const agent = await joinRig(rig, organisation);
  const made = await depositTestJob(rig, organisation, { mounts: ['kept'] });
  assert.equal((await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }))).result, 'granted');
  const before = await inStore((tx) => tx.selectFrom('project_kek').selectAll().execute());
  const wish = { kind: 'project', id: organisation.project } as const;
  crash.at = 'kek-shred-before-commit';
  await assert.rejects(organisation.client.keys.shred(wish));
  assert.equal((await organisation.client.openArtifact('kept')).artifact.version, 1, 'nothing happened');
  for (const point of [
    'kek-shred-after-commit',
    'kek-before-destroy',
    'kek-after-destroy',
    'tombstone-before-commit',
    'tombstone-after-sign',
  ]) {
    crash.at = point;
    await assert.rejects(organisation.client.keys.shred(wish));
    assert.equal(crash.at, '', point);
    await assert.rejects(organisation.client.openArtifact('kept'), { code: 'not-found' }, point);
  }
  await finishShredding(context(), organisation);
  const tombstone = await organisation.client.keys.shred(wish);
  const { owner } = context();
  assert.ok(owner.claimed !== undefined);
  const checked = checkTombstone(tombstone, { keyring: owner.claimed.keyring });
  assert.ok(checked.allow);
  const { body } = checked.tombstone;
  assert.deepEqual(
    [body.kind, body.project, body.projectKeys, body.organisationKey],
    ['project', organisation.project, 1, 'destroyed'],
  );
  assert.ok(body.dataKeys >= 2);
  assert.deepEqual((await organisation.client.keys.status()).tombstones, [tombstone]);
  // A copy of the database from before has the wrapped key, and nothing to open it with.
  const [copy] = before;
  assert.ok(copy?.box);
  const provider = context().projectKeys.provider('built-in');
  await assert.rejects(
    provider.unwrap(
      { keyVersion: copy.key_version, wrapped: copy.box },
      { org: organisation.org, project: organisation.project, object: 'project-kek', version: copy.version },
    ),
    { code: 'kek-destroyed' },
  );
});

test('nothing is sealed in a shredded project any more, and what is left of it opens nothing', async () => {
  await assert.rejects(addDataset(rig, organisation, { name: 'new', text: 'new text' }), { code: 'shredded' });
  await assert.rejects(organisation.client.setSecret('TOKEN', 'hush'), { code: 'shredded' });
  await assert.rejects(organisation.client.keys.rotate(), { code: 'shredded' });
  assert.deepEqual(await inStore((tx) => tx.selectFrom('chunk').select('id').execute()), []);
  const jobs = await inStore((tx) => tx.selectFrom('job').select('workload').execute());
  assert.ok(jobs.every(({ workload }) => workload === null));
  const attempts = await inStore((tx) => tx.selectFrom('attempt').select('payload').execute());
  assert.ok(attempts.length > 0 && attempts.every(({ payload }) => payload === null));
});

test('the organisation follows, with a tombstone of its own, and one that was changed does not count', async () => {
  const tombstone = await organisation.client.keys.shred({ kind: 'organisation', id: organisation.org });
  const { owner } = context();
  assert.ok(owner.claimed !== undefined);
  const { keyring } = owner.claimed;
  assert.ok(checkTombstone(tombstone, { keyring }).allow);
  const text = Buffer.from(tombstone.payload, 'base64').toString('utf8');
  const payload = Buffer.from(text.replace('"organisation"', '"project"')).toString('base64');
  assert.notEqual(payload, tombstone.payload);
  assert.deepEqual(checkTombstone({ ...tombstone, payload }, { keyring }), { allow: false, reasons: ['signature'] });
});
