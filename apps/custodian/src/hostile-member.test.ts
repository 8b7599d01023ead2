import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemRng as rng, toBase64Url } from '@ringfence/base';
import { chunkId, DataKey, sealObjectBytes } from '@ringfence/crypto/seal';
import { startControlPlaneDouble, type ControlPlaneDouble } from './fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from './fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from './fixtures/organisation.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
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
