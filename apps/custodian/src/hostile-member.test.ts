import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, systemRng as rng, toBase64Url } from '@ringfence/base';
import { chunkId, DataKey, sealObjectBytes } from '@ringfence/crypto/seal';
import {
  addDataset,
  ask,
  commitBody,
  depositTestJob,
  grantBody,
  joinRig,
  openGrant,
  type TestAgent,
} from './fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from './fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from './fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from './fixtures/organisation.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
let other: TestAgent;
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

test('a chunk is registered only as what it is: id, size, key and bytes belong together', async () => {
  const { client, org, project } = organisation;
  const { dedupe } = rig.keys;
  const [plain, wanted] = [Buffer.from('poison'), Buffer.from('genuine')];
  const dataKey = DataKey.generate(rng);
  const key = toBase64Url(dataKey.expose());
  const register = async (bytes: Uint8Array, id: ReturnType<typeof chunkId>, edit: object = {}) => {
    const sealed = sealObjectBytes({ dataKey, identity: { org, project, object: id, version: 1 }, rng }, bytes);
    await client.uploadObjects([sealed.bytes]);
    await client.registerChunks([{ id, digest: sealed.digest, key, size: bytes.length, ...edit }]);
  };
  const good = chunkId(dedupe, plain);
  const bad = { code: 'bad-request' };
  await assert.rejects(register(plain, chunkId(dedupe, wanted)), bad, 'other bytes');
  await assert.rejects(register(plain, good, { size: 7 }), bad, 'another size');
  await assert.rejects(register(plain, good, { key: toBase64Url(rng.bytes(32)) }), bad, 'another key');
  assert.deepEqual(await client.presentChunks([good, chunkId(dedupe, wanted)]), []);
  await register(plain, good);
  assert.equal((await client.presentChunks([good])).length, 1);
});

test('a commit that cannot be reads no manifest, and tells a stranger to the job nothing', async (t) => {
  const made = await depositTestJob(rig, organisation, { outputs: ['model'] });
  const granted = await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }));
  assert.ok(granted.result === 'granted');
  const { outputs } = await openGrant(organisation, agent, made, { attempt: 1, payload: granted.payload });
  const good = await commitBody(organisation, agent, made, { attempt: 1, outputs });
  const read = t.mock.method(rig.custodian.context.objects, 'readWhole');
  const notCurrent = { result: 'refused', reason: 'not-current' };
  assert.deepEqual(await other.client.commit(good), notCurrent);
  assert.deepEqual(await agent.client.commit({ ...good, attempt: 2 }), notCurrent);
  assert.deepEqual(await agent.client.commit({ ...good, outputs: [...good.outputs, ...good.outputs] }), notCurrent);
  assert.equal(read.mock.callCount(), 0);
  assert.equal((await agent.client.commit(good)).result, 'committed');
  assert.deepEqual(
    read.mock.calls.map((call) => call.arguments[1]),
    [64 * 1_048_576],
  );
  assert.deepEqual(await other.client.commit(good), notCurrent, 'also once another agent has committed');
});

test('an output is labelled by the versions that were mounted and by what they became, whichever is stricter', async () => {
  const commit = async (name: string, change: Partial<Parameters<typeof addDataset>[2]>) => {
    const made = await depositTestJob(rig, organisation, { mounts: [name], outputs: [`of-${name}`], purpose: 'care' });
    const granted = await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }));
    assert.ok(granted.result === 'granted');
    await addDataset(rig, organisation, { name, text: 'newer', lowerLabel: true, ...change });
    const { outputs } = await openGrant(organisation, agent, made, { attempt: 1, payload: granted.payload });
    const answer = await agent.client.commit(await commitBody(organisation, agent, made, { attempt: 1, outputs }));
    assert.equal(answer.result, 'committed');
    const rows = await organisation.client.artifacts();
    const { sensitivity, residency, purposes, noPurpose } =
      rows.find((row) => row.name === `of-${name}`) ?? assert.fail();
    return { sensitivity, residency, purposes, noPurpose };
  };
  const before = { sensitivity: 'internal', residency: ['DE', 'FR'], purposes: ['care', 'research'] } as const;
  const add = (name: string) =>
    addDataset(rig, organisation, { ...before, name, residency: ['DE', 'FR'], purposes: ['care', 'research'] });
  for (const name of ['loosened', 'tightened', 'elsewhere']) await add(name);
  assert.deepEqual(await commit('loosened', { sensitivity: 'public' }), { ...before, noPurpose: undefined });
  const stricter = { sensitivity: 'restricted', residency: ['DE'], purposes: ['care'] } as const;
  const change = { ...stricter, residency: ['DE'], purposes: ['care'] };
  assert.deepEqual(await commit('tightened', change), { ...stricter, noPurpose: undefined });
  const contradicted = await commit('elsewhere', { residency: ['DE'], purposes: ['billing'] });
  assert.deepEqual(contradicted, { sensitivity: 'internal', residency: ['DE'], purposes: [], noPurpose: true });
  const ask2 = { job: newId('job', rng), mounts: ['of-elsewhere'], validMs: 60_000 };
  await assert.rejects(organisation.client.label({ ...ask2, purpose: 'care' }), { code: 'no-label' });
});
