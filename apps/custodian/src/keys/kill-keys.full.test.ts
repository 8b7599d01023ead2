import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { addDataset } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { CustodianProcess } from '../fixtures/custodian-process.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

/** Kills the custodian by SIGKILL at each step of a rotation and of a shredding, and starts it again. */
const custodian = new CustodianProcess();
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;

before(async () => {
  controlPlane = await startControlPlaneDouble();
  await custodian.start();
  organisation = await claimRig(custodian, controlPlane);
  await addDataset(custodian, organisation, { name: 'kept', text: 'kept text' });
  await organisation.client.setSecret('TOKEN', 'hush');
});
after(async () => {
  organisation.client.close();
  await custodian.remove();
  await controlPlane.close();
});

async function restart(fault?: string): Promise<void> {
  organisation.client.close();
  await custodian.start(fault);
  Object.assign(organisation, { client: await custodian.client(organisation.tls) });
}

/** The key of the dataset's manifest: the same in all rotations. */
async function openedKey(): Promise<string | undefined> {
  return (await organisation.client.openArtifact('kept')).pack?.key;
}

const status = () => organisation.client.keys.status();

test('a rotation that a kill cut off at any step ends by itself, and every data key is what it was', async () => {
  const key = await openedKey();
  assert.ok(key !== undefined);
  for (const point of [
    'ring-before-write',
    'rotation-after-provider',
    'rotation-before-commit',
    'rotation-after-commit',
    'rewrap-before-commit',
    'rewrap-after-commit',
    'kek-before-destroy',
    'kek-after-destroy',
  ]) {
    await custodian.stop();
    await restart(point);
    // Some of the steps come after the answer.
    await organisation.client.keys.rotate().catch(() => undefined);
    await custodian.ended();
    await restart();
    assert.equal(await openedKey(), key, point);
    await until(async () => {
      const { rotation, projectKeys } = await status();
      const live = projectKeys.filter(({ state }) => state !== 'destroyed');
      return rotation?.finishedAt !== null && live.length === 1 && live[0]?.state === 'current';
    }, `the rotation ends (${point})`);
    assert.equal(await openedKey(), key, point);
  }
});

test('a shredding that a kill cut off at any step either did nothing, or goes to its end', async () => {
  const wish = { kind: 'project', id: organisation.project } as const;
  for (const point of [
    'kek-shred-before-commit',
    'kek-shred-after-commit',
    'ring-before-write',
    'tombstone-before-commit',
    'tombstone-after-sign',
  ]) {
    await custodian.stop();
    await custodian.start(point).then(
      async () => {
        organisation.client.close();
        Object.assign(organisation, { client: await custodian.client(organisation.tls) });
        await assert.rejects(organisation.client.keys.shred(wish), `it died at ${point}`);
      },
      // What an earlier kill left goes on at the start, so the step may pass before the custodian is ready.
      () => undefined,
    );
    await custodian.ended();
    if (point !== 'kek-shred-before-commit') continue;
    await restart();
    assert.notEqual(await openedKey(), undefined, 'nothing was committed');
  }
  await restart();
  await until(
    async () => (await status()).tombstones.length === 1,
    'the tombstone is signed without being asked again',
  );
  const [tombstone] = (await status()).tombstones;
  assert.deepEqual(await organisation.client.keys.shred(wish), tombstone);
  await assert.rejects(openedKey(), { code: 'not-found' });
  await assert.rejects(organisation.client.setSecret('TOKEN', 'hush'), { code: 'shredded' });
});
