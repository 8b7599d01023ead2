import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { epochMs, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { addDataset, ask, depositTestJob, grantBody, joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { closeJob } from '../jobs/close-job.ts';

const DAY = 86_400_000;
const ahead = { by: 0 };
const shifted = { ...clock, now: () => epochMs(clock.now() + ahead.by) };
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock: shifted }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const wish = { names: [], graceMs: DAY, dryRun: false };

function fileOf(digest: string): string {
  return join(rig.state, 'objects', digest.slice(0, 2), digest.slice(2, 4), digest);
}

async function inStore<T>(read: Parameters<typeof rig.custodian.context.store.withOrg<T>>[1]): Promise<T> {
  return rig.custodian.context.store.withOrg(organisation.org, read);
}

/** Objects of the store in the order of their arrival. */
async function objects(): Promise<Digest[]> {
  const rows = await inStore((tx) => tx.selectFrom('object').select('digest').execute());
  return rows.map(({ digest }) => digest);
}

/** Adds a version and tells which objects came with it. */
async function addVersion(name: string, text: string): Promise<Digest[]> {
  const there = new Set(await objects());
  await addDataset(rig, organisation, { name, text });
  return (await objects()).filter((digest) => !there.has(digest));
}

async function later(milliseconds: number): Promise<void> {
  ahead.by += milliseconds;
}

test('what a live job mounts stays until the job is over', async () => {
  await addVersion('mounted', 'one');
  const made = await depositTestJob(rig, organisation, { mounts: ['mounted'] });
  const granted = await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }));
  assert.equal(granted.result, 'granted');
  await addVersion('mounted', 'two');
  for (const version of [1, 2]) {
    const kept = await organisation.client.prune({ ...wish, names: ['mounted'], version });
    assert.deepEqual(
      kept.kept.map(({ reason }) => reason),
      ['mounted'],
      `version ${version}`,
    );
  }
  const { owner, ...context } = rig.custodian.context;
  assert.ok(owner.claimed !== undefined);
  await closeJob(context, owner.claimed, made.body.job, 'cancelled');
  const gone = await organisation.client.prune({ ...wish, names: ['mounted'], keep: 1 });
  assert.deepEqual(
    gone.removed.map(({ version }) => version),
    [1],
  );
  const grants = await inStore((tx) =>
    tx.selectFrom('attempt').select('payload').where('job', '=', made.body.job).execute(),
  );
  assert.deepEqual(grants, [{ payload: null }], 'it carried the key of what is gone');
});

test('old versions go with their objects, files and wrapped keys; the newest and what is shared stay', async () => {
  const first = await addVersion('rows', 'first');
  const second = await addVersion('rows', 'second');
  // Equal content: the chunk is that of `first`.
  const sharing = await addVersion('other', 'first');
  assert.deepEqual([first.length, second.length, sharing.length], [2, 2, 1]);
  const dry = await organisation.client.prune({ ...wish, keep: 1, dryRun: true });
  assert.deepEqual(
    dry.removed.map(({ name, version }) => [name, version]),
    [['rows', 1]],
  );
  assert.equal((await organisation.client.openArtifact('rows', 1)).artifact.version, 1, 'a dry run removes nothing');
  const early = await organisation.client.prune({ ...wish, keep: 1 });
  assert.deepEqual([early.removed.length, early.objects], [1, 0], 'within the grace objects stay');
  await later(2 * DAY);
  const done = await organisation.client.prune(wish);
  assert.equal(
    done.objects,
    3,
    'the manifest of the first, whose chunk is another version’s too, and all of the job’s',
  );
  const gone = first.filter((digest) => !existsSync(fileOf(digest)));
  assert.equal(gone.length, 1);
  for (const digest of [...second, ...sharing]) assert.ok(existsSync(fileOf(digest)));
  const last = await organisation.client.prune({ ...wish, names: ['other'], version: 1 });
  assert.deepEqual(
    last.removed.map(({ name }) => name),
    ['other'],
    'the newest goes when its number is named',
  );
  assert.equal(last.objects, 2);
  const chunks = await inStore((tx) => tx.selectFrom('chunk').select('digest').execute());
  assert.ok(!chunks.some(({ digest }) => first.includes(digest)), 'keys are shredded');
  const types = await inStore((tx) => tx.selectFrom('event').select('type').where('type', 'like', '%pruned').execute());
  assert.equal(types.filter(({ type }) => type === 'version-pruned').length, 3);
  assert.equal(types.filter(({ type }) => type === 'objects-pruned').length, 2);
});

test('a chunk that somebody was just told is here stays, and so does what is being uploaded', async () => {
  await addVersion('reused', 'reused text');
  await organisation.client.prune({ ...wish, names: ['reused'], version: 1 });
  await later(2 * DAY);
  // The same content again, up to the moment before the version is named: its chunk is old, unnamed, and told to be here.
  const ids = await inStore((tx) => tx.selectFrom('chunk').select(['id', 'digest']).execute());
  const present = await organisation.client.presentChunks(ids.map(({ id }) => id));
  assert.equal(present.length, ids.length);
  const fresh = rng.bytes(1_000);
  await organisation.client.uploadObjects([fresh]);
  await organisation.client.prune(wish);
  const left = new Set(await objects());
  for (const { digest } of present) assert.ok(left.has(digest) && existsSync(fileOf(digest)));
  assert.ok(left.has(sha256Hex(fresh)));
});

test('what a crash left between rows and files is finished at the next start, but not for bytes that came again', async () => {
  const [again, gone] = [rng.bytes(500), rng.bytes(500)];
  const [kept = '', doomed = ''] = await organisation.client.uploadObjects([again, gone]);
  const { org } = organisation;
  await inStore(async (tx) => {
    await tx
      .deleteFrom('object')
      .where('digest', 'in', [kept as Digest, doomed as Digest])
      .execute();
    const marks = [kept, doomed].map((digest) => ({ org, digest: digest as Digest }));
    await tx.insertInto('doomed_object').values(marks).execute();
  });
  await organisation.client.uploadObjects([again]);
  await rig.restart();
  const deadline = clock.monotonic() + 20_000;
  while (existsSync(fileOf(doomed))) {
    assert.ok(clock.monotonic() < deadline, 'the file is removed');
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(existsSync(fileOf(kept)));
});
