import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { canonicalBytes, epochMs, newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { TlsKey } from '@ringfence/crypto/certificate';
import { sha256Hex, SigningKey, statementDigest } from '@ringfence/crypto/sign';
import { nextStatement, readStatement, signStatement, verifyStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import {
  addDataset,
  ask,
  commitBody,
  depositTestJob,
  grantBody,
  joinRig,
  openGrant,
  stoppedBy,
  type TestAgent,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { addDevice, type TestDevice } from '../fixtures/release.fixture.ts';
import { closeJob } from '../jobs/close-job.ts';
import { expire } from '../retention/expire.ts';
import type { FaultPoint } from '../fault-points.ts';

const DAY = 86_400_000;
const ahead = { by: 0 };
const shifted = { ...clock, now: () => epochMs(clock.now() + ahead.by) };
const armed: { point?: FaultPoint } = {};
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;

before(async () => {
  const fault = (point: FaultPoint): void => {
    if (point === armed.point) throw new Error(`stopped at ${point}`);
  };
  [rig, controlPlane] = await Promise.all([startRig({ clock: shifted, fault }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

async function inStore<T>(read: Parameters<typeof rig.custodian.context.store.withOrg<T>>[1]): Promise<T> {
  return rig.custodian.context.store.withOrg(organisation.org, read);
}

async function rowsOf(table: 'object' | 'chunk' | 'artifact_version' | 'erasure'): Promise<number> {
  const row = await inStore((tx) =>
    tx
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<string>().as('rows'))
      .executeTakeFirstOrThrow(),
  );
  return Number(row.rows);
}

async function expiries(): Promise<number> {
  const rows = await inStore((tx) =>
    tx.selectFrom('event').select('seq').where('type', '=', 'version-expired').execute(),
  );
  return rows.length;
}

/** Runs a job that mounts `dataset` and commits an output called `model`. */
async function derive(dataset: string, model: string): Promise<void> {
  const made = await depositTestJob(rig, organisation, { mounts: [dataset], outputs: [model] });
  const granted = await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }));
  assert.ok(granted.result === 'granted', JSON.stringify(granted));
  const { outputs } = await openGrant(organisation, agent, made, { attempt: 1, payload: granted.payload });
  await agent.client.commit(await commitBody(organisation, agent, made, { attempt: 1, outputs }));
  await agent.client.stopped(stoppedBy(agent, made, 1, 'succeeded'));
}

function claimed() {
  return rig.custodian.context.owner.claimed ?? assert.fail('there is an organisation');
}

test('an erasure takes keys, objects, files, grants and the name, and says so under a signature', async () => {
  await addDataset(rig, organisation, { name: 'patients', text: 'one' });
  await addDataset(rig, organisation, { name: 'patients', text: 'two' });
  await addDataset(rig, organisation, { name: 'sharing', text: 'one' });
  await derive('patients', 'readmission-model');
  await derive('readmission-model', 'second-model');
  const before = { objects: await rowsOf('object'), versions: await rowsOf('artifact_version') };
  const wish = { name: 'patients', derived: false, dryRun: true };
  const dry = await organisation.client.data.erase(wish);
  assert.deepEqual(dry.goes.versions.map(({ name, version }) => `${name} ${version}`).toSorted(), [
    'patients 1',
    'patients 2',
  ]);
  assert.deepEqual(dry.stays.versions.map(({ name }) => name).toSorted(), ['readmission-model', 'second-model']);
  assert.equal(dry.done, undefined);
  assert.equal(await rowsOf('object'), before.objects, 'a dry run changes nothing');

  const { done } = await organisation.client.data.erase({ ...wish, dryRun: false });
  assert.ok(done !== undefined);
  const report = readStatement('erasure', done.report);
  const { body } = verifyStatement(report, [rig.keys.enrolment.publicKey]);
  assert.deepEqual(body.versions, { count: 2, digest: sha256Hex(canonicalBytes(done.versions)) });
  assert.deepEqual(body.derived, { count: 2, digest: sha256Hex(canonicalBytes(done.derived)) });
  assert.equal(body.grants, 1, 'the grant that carried the key');
  assert.equal(body.shared, 1, 'the chunk that the other dataset has too');
  assert.equal(await rowsOf('object'), before.objects - body.objects);
  assert.equal(await rowsOf('artifact_version'), before.versions - 2);
  for (const { manifest } of done.versions)
    assert.ok(!existsSync(join(rig.state, 'objects', manifest.slice(0, 2), manifest.slice(2, 4), manifest)));
  await assert.rejects(organisation.client.openArtifact('patients'), { code: 'not-found' });
  assert.equal((await organisation.client.openArtifact('sharing')).artifact.version, 1);
  assert.deepEqual(
    (await organisation.client.data.erasures()).map(({ digest }) => digest),
    [statementDigest(done.report)],
  );
  const names = (await organisation.client.artifacts()).map(({ name }) => name);
  assert.ok(!names.includes('patients') && names.includes('second-model'));
  await addDataset(rig, organisation, { name: 'patients', text: 'three' });
  assert.equal((await organisation.client.openArtifact('patients')).artifact.version, 1, 'the name is free');
});

test('a name goes from what members asked for, too', async () => {
  await addDataset(rig, organisation, { name: 'asked-for', text: 'asked for', sensitivity: 'restricted' });
  const { org } = organisation;
  const wish = { purpose: 'research', recipients: { org }, validMs: DAY };
  const { request } = await organisation.client.release.request({ of: [{ artifact: 'asked-for' }], ...wish });
  const listed = async () => JSON.stringify(await organisation.client.release.list());
  assert.ok((await listed()).includes('asked-for'));
  await organisation.client.data.erase({ name: 'asked-for', derived: false, dryRun: false });
  const after = await listed();
  assert.ok(!after.includes('asked-for') && after.includes(request));
});

test('what was made of it goes with it when asked, and a job that is not over stops it all', async () => {
  await addDataset(rig, organisation, { name: 'source', text: 'rows' });
  await derive('source', 'made-of-source');
  const live = await depositTestJob(rig, organisation, { mounts: ['made-of-source'] });
  const objects = await rowsOf('object');
  const wish = { name: 'source', derived: true, dryRun: false };
  await assert.rejects(organisation.client.data.erase(wish), { code: 'conflict' });
  assert.equal(await rowsOf('object'), objects);
  const granted = await ask(agent, grantBody(controlPlane, agent, live, { attempt: 1 }));
  assert.equal(granted.result, 'granted');
  await assert.rejects(organisation.client.data.erase(wish), { code: 'conflict' });
  await agent.client.stopped(stoppedBy(agent, live, 1, 'stopped'));
  await closeJob(rig.custodian.context, claimed(), live.body.job, 'cancelled');
  const { goes, stays } = await organisation.client.data.erase(wish);
  assert.deepEqual(goes.versions.map(({ name }) => name).toSorted(), ['made-of-source', 'source']);
  assert.deepEqual(stays, { versions: [], logs: 0 });
});

test('a member is written out and erased: name, devices and factors go, random ids stay', async () => {
  const [device, sign] = [newId('device', rng), SigningKey.generate(rng)];
  const append = async (change: KeyringChange): Promise<void> => {
    const statement = signStatement('keyring', nextStatement(claimed().keyring, change, clock.now()), [
      organisation.root,
    ]);
    await organisation.client.appendStatement(statement);
  };
  await append({ kind: 'add-device', device, sign: sign.publicKey, tls: TlsKey.generate(rng).publicKey });
  const { members } = await organisation.client.access.nameMember({ device, name: 'zoe-of-ward-7' });
  const { member } = members.find(({ devices }) => devices.includes(device)) ?? assert.fail('there is a member');
  const lines = async () => text(await organisation.client.data.exported(member));
  const before = await lines();
  assert.ok(before.includes('zoe-of-ward-7') && before.includes(device));
  assert.ok(!before.includes('patients'), 'what concerns others is not in it');
  await assert.rejects(organisation.client.data.eraseMember(member), { code: 'conflict' });
  await append({ kind: 'remove', subject: device, reason: 'left' });
  const { report } = await organisation.client.data.eraseMember(member);
  const { body } = verifyStatement(readStatement('member-erasure', report), [rig.keys.enrolment.publicKey]);
  assert.deepEqual([body.member, body.devices], [member, 1]);
  const after = await lines();
  assert.ok(!after.includes('zoe-of-ward-7'));
  const links = await inStore((tx) =>
    tx.selectFrom('member_device').select('member').where('device', '=', device).execute(),
  );
  assert.deepEqual(links, []);
  await assert.rejects(organisation.client.data.eraseMember(newId('member', rng)), { code: 'not-found' });
});

test('what an attempt was given outlives its rule until the job is over', async () => {
  await addDataset(rig, organisation, { name: 'held', text: 'held by a job' });
  await organisation.client.data.setRetention({ of: { name: 'held' }, keepMs: DAY });
  const made = await depositTestJob(rig, organisation, { mounts: ['held'] });
  assert.equal((await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }))).result, 'granted');
  ahead.by += 2 * DAY;
  const grants = async (): Promise<number> => {
    const rows = await inStore((tx) =>
      tx.selectFrom('attempt').select('payload').where('job', '=', made.body.job).execute(),
    );
    return rows.filter(({ payload }) => payload !== null).length;
  };
  assert.equal(await expire(rig.custodian.context, claimed()), 0);
  assert.equal(await grants(), 1);
  await closeJob(rig.custodian.context, claimed(), made.body.job, 'cancelled');
  assert.equal(await expire(rig.custodian.context, claimed()), 1);
  assert.equal(await grants(), 0, 'the grant that carried its key');
});

test('a rule ends a version at its moment, before any sweep, and the sweep destroys what it alone named', async () => {
  await addDataset(rig, organisation, { name: 'short', text: 'short lived' });
  const rules = await organisation.client.data.setRetention({ of: { name: 'short' }, keepMs: 30 * DAY });
  assert.deepEqual(
    rules.filter(({ of }) => 'name' in of && of.name === 'short').map(({ of, keepMs }) => ({ of, keepMs })),
    [{ of: { name: 'short' }, keepMs: 30 * DAY }],
  );
  ahead.by += 30 * DAY - 60_000;
  assert.equal(await expire(rig.custodian.context, claimed()), 0);
  assert.equal((await organisation.client.openArtifact('short')).artifact.version, 1);
  ahead.by += 60_000;
  await assert.rejects(organisation.client.openArtifact('short'), { code: 'not-found' });
  await assert.rejects(depositTestJob(rig, organisation, { mounts: ['short'] }), { code: 'not-found' });
  const [objects, chunks, events] = [await rowsOf('object'), await rowsOf('chunk'), await expiries()];
  assert.equal(await expire(rig.custodian.context, claimed()), 1);
  assert.deepEqual([await rowsOf('object'), await rowsOf('chunk')], [objects - 2, chunks - 1]);
  assert.equal(await expiries(), events + 1);
});

test('only its owner, or a member with the role owner, says how long a dataset is kept, erases it, or loosens its label, also of one that expired', async () => {
  const [own, other] = [await addDevice(rig, organisation), await addDevice(rig, organisation)];
  const label = { sensitivity: 'restricted', residency: ['DE', 'FR'], purposes: ['care'] } as const;
  const add = (by: TestDevice, edit: Partial<Parameters<typeof addDataset>[2]> = {}) =>
    addDataset(
      rig,
      { ...organisation, client: by.client },
      {
        name: 'owned',
        sensitivity: label.sensitivity,
        residency: [...label.residency],
        purposes: [...label.purposes],
        ...edit,
      },
    );
  const keeps = (by: TestDevice, keepMs: number | null) =>
    by.client.data.setRetention({ of: { name: 'owned' }, keepMs });
  const denied = { code: 'not-authorised' };
  const lowered = { code: 'label-lowered' };
  await add(own);
  await assert.rejects(keeps(other, DAY), denied);
  for (const dryRun of [true, false])
    await assert.rejects(other.client.data.erase({ name: 'owned', derived: false, dryRun }), denied);
  for (const edit of [
    { sensitivity: 'internal' as const },
    { residency: [] },
    { residency: ['DE', 'US'] },
    { purposes: [] },
    { purposes: ['care', 'marketing'] },
  ]) {
    await assert.rejects(add(own, edit), lowered, JSON.stringify(edit));
    await assert.rejects(add(other, { ...edit, lowerLabel: true }), denied);
  }
  await add(other, { residency: ['DE'] });
  await add(own, { lowerLabel: true });
  await keeps(own, DAY);
  ahead.by += 2 * DAY;
  await assert.rejects(add(other, { sensitivity: 'public' }), lowered, 'expired, and not swept yet');
  assert.equal(await expire(rig.custodian.context, claimed()), 3);
  await assert.rejects(add(other, { sensitivity: 'public' }), lowered, 'swept');
  await assert.rejects(add(other, { sensitivity: 'public', lowerLabel: true }), denied);
  await add(own, { sensitivity: 'internal', lowerLabel: true });
  await organisation.client.data.setRetention({ of: { name: 'owned' }, keepMs: null });
  await own.client.data.erase({ name: 'owned', derived: false, dryRun: false });
  await add(other, { sensitivity: 'public' });
});

test('a crash before the commit erases nothing; one after it leaves only files, which the next start removes', async () => {
  await addDataset(rig, organisation, { name: 'crashed', text: 'crash text' });
  const pack = (await organisation.client.openArtifact('crashed')).pack;
  const file = join(rig.state, 'objects', pack.manifest.slice(0, 2), pack.manifest.slice(2, 4), pack.manifest);
  const wish = { name: 'crashed', derived: false, dryRun: false };
  armed.point = 'erase-before-commit';
  await assert.rejects(organisation.client.data.erase(wish));
  assert.equal((await organisation.client.openArtifact('crashed')).pack.key, pack.key);
  const reports = await rowsOf('erasure');
  armed.point = 'erase-after-commit';
  await assert.rejects(organisation.client.data.erase(wish));
  delete armed.point;
  assert.equal(await rowsOf('erasure'), reports + 1, 'what is signed is kept');
  assert.ok(existsSync(file));
  await rig.restart();
  const deadline = clock.monotonic() + 20_000;
  while (existsSync(file)) {
    assert.ok(clock.monotonic() < deadline, 'the file is removed');
    await new Promise((resolve) => setImmediate(resolve));
  }
});
