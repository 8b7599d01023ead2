import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { canonicalBytes, systemRng as rng, toBase64Url } from '@ringfence/base';
import { MANIFEST_OBJECT } from '@ringfence/client/pack';
import { DataKey, sealObjectBytes } from '@ringfence/crypto/seal';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
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
  type TestJob,
} from '../fixtures/agent.fixture.ts';
import { readLines } from '../backup/row-lines.ts';
import { objectsOfPack } from '../objects/pack-objects.ts';
import { closeJob } from './close-job.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let [agent, other]: TestAgent[] = [];

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation, 'node-1');
  other = await joinRig(rig, organisation, 'node-2');
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const WORK = { checkpoint: '/out0/ckpt' };

async function granted(by: TestAgent, made: TestJob, attempt: number) {
  const answer = await ask(by, grantBody(controlPlane, by, made, { attempt }));
  assert.ok(answer.result === 'granted', JSON.stringify(answer));
  return openGrant(organisation, by, made, { attempt, payload: answer.payload });
}

async function packOf(by: TestAgent, made: TestJob, attempt: number) {
  const { outputs } = await commitBody(organisation, by, made, {
    attempt,
    outputs: [{ path: '/out0', artifact: 'art_aaaaaaaaaaaaaaaaaaaaaaaaaa' as never, version: 1 }],
  });
  const [output] = outputs;
  assert.ok(output !== undefined);
  const { pack, files, bytes } = output;
  return { job: made.body.job, attempt, pack, files, bytes };
}

test('a grant carries the value that is there now, and no row of the database shows one', async () => {
  assert.ok(agent !== undefined);
  await organisation.client.setSecret('TOKEN', 'first-value-4711');
  await organisation.client.setSecret('TOKEN', 'second-value-4711');
  const made = await depositTestJob(rig, organisation, { work: { secrets: ['TOKEN'] } });
  const { secrets } = await granted(agent, made, 1);
  assert.deepEqual(secrets, [{ name: 'TOKEN', value: 'second-value-4711' }]);
  const { store } = rig.custodian.context;
  const rows = await store.withOrg(organisation.org, async (tx) =>
    Buffer.concat([await readLines(tx, 'secret'), await readLines(tx, 'attempt'), await readLines(tx, 'event')]),
  );
  assert.ok(rows.length > 500);
  for (const shown of ['value-4711', Buffer.from('second-value-4711').toString('base64'), 'TOKEN'])
    assert.ok(!rows.includes(shown), shown);
  await organisation.client.removeSecret('TOKEN');
  assert.deepEqual(await organisation.client.secrets(), []);
});

test('only the current attempt stores checkpoints, and the next one is given the newest', async () => {
  assert.ok(agent !== undefined && other !== undefined);
  const made = await depositTestJob(rig, organisation, { outputs: ['fenced'], work: WORK });
  assert.equal((await granted(agent, made, 1)).checkpoint, undefined);
  const [first, second] = [await packOf(agent, made, 1), await packOf(agent, made, 1)];
  const notCurrent = { result: 'refused', reason: 'not-current' };
  assert.deepEqual(await agent.client.storeCheckpoint(first), { result: 'stored' });
  assert.deepEqual(await agent.client.storeCheckpoint(second), { result: 'stored' });
  assert.deepEqual(await other.client.storeCheckpoint(first), notCurrent, 'another agent');
  const lost = { ...first, pack: { ...first.pack, manifest: 'ab'.repeat(32) as never } };
  assert.deepEqual(await agent.client.storeCheckpoint(lost), { result: 'refused', reason: 'missing-objects' });
  await agent.client.stopped(stoppedBy(agent, made, 1, 'interrupted'));
  assert.deepEqual(await agent.client.storeCheckpoint(first), notCurrent, 'it stopped');
  const { checkpoint } = await granted(other, made, 2);
  assert.equal(checkpoint?.manifest, second.pack.manifest);
  assert.equal(checkpoint?.key, second.pack.key);
  assert.deepEqual(await agent.client.storeCheckpoint(first), notCurrent, 'attempt 2 was granted');
  assert.deepEqual(await agent.client.storeCheckpoint({ ...first, attempt: 2 }), notCurrent, 'under its number');
  assert.deepEqual(await other.client.storeCheckpoint(await packOf(other, made, 2)), { result: 'stored' });
});

test('a checkpoint names only objects that its agent brought, and only of a job that has checkpoints', async () => {
  assert.ok(agent !== undefined && other !== undefined);
  const { client, org, project } = organisation;
  await addDataset(rig, organisation, { name: 'foreign', text: 'rows that no job of this agent mounts' });
  const { pack } = await client.openArtifact('foreign');
  const claimed = rig.custodian.context.owner.claimed ?? assert.fail();
  const [, chunk = assert.fail()] = (await objectsOfPack(rig.custodian.context, claimed, pack)) ?? [];
  const result = await packOf(other, await depositTestJob(rig, organisation), 1);
  const made = await depositTestJob(rig, organisation, { outputs: ['own'], work: WORK });
  await granted(agent, made, 1);
  const read = async (digest: typeof chunk) => (await agent?.client.object(digest))?.toArray();
  const missing = { result: 'refused', reason: 'missing-objects' };
  for (const digest of [chunk, pack.manifest, result.pack.manifest]) {
    const dataKey = DataKey.generate(rng);
    const key = toBase64Url(dataKey.expose());
    const file = { path: 'x', size: 1, executable: false, chunks: [{ id: digest, digest, key, size: 1 }] };
    const sealed = sealObjectBytes(
      { dataKey, identity: { org, project, object: MANIFEST_OBJECT, version: 1 }, rng },
      canonicalBytes({ v: 1, files: [file], links: [] }),
    );
    await agent.client.uploadObjects([sealed.bytes]);
    const forged = { manifest: sealed.digest, key };
    assert.ok((await objectsOfPack(rig.custodian.context, claimed, forged))?.includes(digest), 'it is a manifest');
    const request = { job: made.body.job, attempt: 1, pack: forged, files: 1, bytes: 1 };
    assert.deepEqual(await agent.client.storeCheckpoint(request), missing);
    await assert.rejects(read(digest), { code: 'not-found' });
  }
  const own = await packOf(agent, made, 1);
  const foreign = { ...own, pack: result.pack };
  assert.deepEqual(await agent.client.storeCheckpoint(foreign), missing, 'a whole pack of another agent');
  assert.deepEqual(await agent.client.storeCheckpoint(own), { result: 'stored' });
  const without = await depositTestJob(rig, organisation, { outputs: ['none'] });
  await granted(agent, without, 1);
  await assert.rejects(agent.client.storeCheckpoint(await packOf(agent, without, 1)), { code: 'bad-request' });
});

test('with the end of a job its checkpoint is gone, by commit as by failure', async () => {
  assert.ok(agent !== undefined);
  const { store } = rig.custodian.context;
  const kept = (job: string) =>
    store.withOrg(organisation.org, (tx) =>
      tx
        .selectFrom('checkpoint')
        .select('job')
        .where('job', '=', job as never)
        .execute(),
    );
  for (const end of ['commit', 'close'] as const) {
    const made = await depositTestJob(rig, organisation, { outputs: [`ended-${end}`], work: WORK });
    const { outputs } = await granted(agent, made, 1);
    const request = await packOf(agent, made, 1);
    assert.deepEqual(await agent.client.storeCheckpoint(request), { result: 'stored' });
    assert.equal((await kept(made.body.job)).length, 1);
    const claimed = rig.custodian.context.owner.claimed ?? assert.fail();
    if (end === 'close') await closeJob(rig.custodian.context, claimed, made.body.job, 'failed');
    else await agent.client.commit(await commitBody(organisation, agent, made, { attempt: 1, outputs }));
    assert.deepEqual(await kept(made.body.job), []);
    assert.deepEqual(await agent.client.storeCheckpoint(request), { result: 'refused', reason: 'not-current' });
  }
});

test('an agent reads what a live grant of its own names, and nothing else', async () => {
  assert.ok(agent !== undefined && other !== undefined);
  const { client } = organisation;
  for (const name of ['mounted', 'unmounted'])
    await addDataset(rig, organisation, { name, text: `rows of ${name}, longer than nothing` });
  const packs = await Promise.all(['mounted', 'unmounted'].map(async (name) => (await client.openArtifact(name)).pack));
  const [mounted, unmounted] = packs.map(({ manifest }) => manifest);
  const code = (await packOf(other, await depositTestJob(rig, organisation), 1)).pack;
  assert.ok(mounted !== undefined && unmounted !== undefined);
  const made = await depositTestJob(rig, organisation, {
    mounts: ['mounted'],
    outputs: ['read'],
    work: { ...WORK, code },
  });
  const read = async (by: TestAgent, digest: typeof mounted) => (await by.client.object(digest)).toArray();
  const notFound = { code: 'not-found' };
  await assert.rejects(read(agent, mounted), notFound, 'before the grant');
  const { outputs } = await granted(agent, made, 1);
  const claimed = rig.custodian.context.owner.claimed ?? assert.fail();
  const named = await objectsOfPack(rig.custodian.context, claimed, packs[0] ?? assert.fail());
  assert.ok(named !== undefined && named.length >= 2);
  const checkpoint = await packOf(agent, made, 1);
  assert.deepEqual(await agent.client.storeCheckpoint(checkpoint), { result: 'stored' });
  const granting = [...named, code.manifest, checkpoint.pack.manifest];
  for (const digest of granting) assert.ok((await read(agent, digest)).length > 0);
  await assert.rejects(read(agent, unmounted), notFound, 'data of no job of its own');
  for (const digest of granting) await assert.rejects(read(other, digest), notFound, 'another agent');
  await agent.client.commit(await commitBody(organisation, agent, made, { attempt: 1, outputs }));
  const deadline = performance.now() + 10_000;
  for (;;) {
    const ended = await read(agent, mounted).then(
      () => false,
      () => true,
    );
    if (ended) break;
    assert.ok(performance.now() < deadline, 'it reads on after the end of the job');
  }
  assert.ok((await (await client.object(unmounted)).toArray()).length > 0, 'devices read by policy');
});

test('a log is kept once, from the agent that ran the attempt', async () => {
  assert.ok(agent !== undefined && other !== undefined);
  const made = await depositTestJob(rig, organisation);
  await granted(agent, made, 1);
  const { files: _, ...request } = await packOf(agent, made, 1);
  await assert.rejects(other.client.storeLog(request), { code: 'not-found' });
  await agent.client.storeLog(request);
  await agent.client.storeLog({ ...request, bytes: 1 });
  const { logs } = await organisation.client.sealedLogs(made.body.job);
  assert.deepEqual(logs, [{ attempt: 1, pack: request.pack, bytes: request.bytes }]);
});

test('a device enters the current attempt of a job on open data, and its agent alone may ask', async () => {
  assert.ok(agent !== undefined && other !== undefined);
  await addDataset(rig, organisation, { name: 'closed', sensitivity: 'restricted' });
  const open = await depositTestJob(rig, organisation);
  const closed = await depositTestJob(rig, organisation, { mounts: ['closed'] });
  const entry = { attempt: 1, device: organisation.device, kind: 'exec' } as const;
  for (const made of [open, closed]) await granted(agent, made, 1);
  assert.deepEqual(await agent.client.enter({ job: open.body.job, ...entry }), { result: 'allowed' });
  const refused = (reason: string) => ({ result: 'refused', reason });
  assert.deepEqual(await agent.client.enter({ job: closed.body.job, ...entry }), refused('label'));
  assert.deepEqual(await other.client.enter({ job: open.body.job, ...entry }), refused('not-current'));
  const stranger = { ...entry, device: `${organisation.device.slice(0, -1)}a` as typeof organisation.device };
  assert.deepEqual(await agent.client.enter({ job: open.body.job, ...stranger }), refused('not-authorised'));
  const { rows } = await rig.custodian.context.store.withOrg(organisation.org, async (tx) => ({
    rows: await tx.selectFrom('event').select('body').where('type', '=', 'entered').execute(),
  }));
  assert.equal(rows.length, 1);
  assert.ok(Buffer.from(rows[0]?.body ?? []).includes(organisation.device));
});

test('each mount of a start stands in the ledger with purpose and decision, also of a start that is refused for it', async () => {
  assert.ok(agent !== undefined);
  const by = agent;
  await addDataset(rig, organisation, { name: 'german', residency: ['DE'], purposes: ['care', 'research'] });
  await addDataset(rig, organisation, { name: 'plain' });
  const decided = async (job: string) => {
    const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
      tx.selectFrom('event').select('body').where('type', '=', 'mount-decided').orderBy('seq').execute(),
    );
    return rows
      .map(({ body }) => (JSON.parse(Buffer.from(body).toString('utf8')) as { event: Record<string, unknown> }).event)
      .filter((event) => event['job'] === job)
      .map(({ version, purpose, decision, reasons }) => [version, purpose, decision, reasons]);
  };
  const mounts = ['german', 'plain'];
  const made = await depositTestJob(rig, organisation, { mounts, purpose: 'care' });
  await granted(by, made, 1);
  const allowed = [1, 'care', 'allowed', []];
  assert.deepEqual(await decided(made.body.job), [allowed, allowed]);
  const late = await depositTestJob(rig, organisation, { mounts, purpose: 'care' });
  await addDataset(rig, organisation, {
    name: 'german',
    text: 'new\n',
    residency: ['FR'],
    purposes: ['research'],
    lowerLabel: true,
  });
  const answer = await ask(by, grantBody(controlPlane, by, late, { attempt: 1 }));
  assert.deepEqual(answer, { result: 'refused', reason: 'label-changed' });
  const refused = [2, 'care', 'refused', ['purpose-not-allowed', 'residency']];
  assert.deepEqual(await decided(late.body.job), [refused, allowed]);
  const away = await depositTestJob(rig, organisation, { mounts: ['german'], purpose: 'research' });
  assert.equal((await ask(by, grantBody(controlPlane, by, away, { attempt: 1 }))).result, 'refused');
  assert.deepEqual(await decided(away.body.job), [[2, 'research', 'refused', ['residency']]]);
});
