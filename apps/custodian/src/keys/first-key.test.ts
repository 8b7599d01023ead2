import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { startControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig } from '../fixtures/organisation.fixture.ts';

const PARALLEL = 16;
const ROUNDS = process.env['RINGFENCE_TEST_FULL'] === '1' ? 200 : 30;

test('the first key of a project is made once, and nobody takes its being made for its end', async (t) => {
  const [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  t.after(async () => {
    await rig.close();
    await controlPlane.close();
  });
  const { org } = await claimRig(rig, controlPlane);
  const { store, projectKeys } = rig.custodian.context;
  for (let round = 0; round < ROUNDS; round += 1) {
    const owner = { org, project: newId('project', rng) };
    const keys = await Promise.all(
      Array.from({ length: PARALLEL }, () => store.withOrg(org, (tx) => projectKeys.current(tx, owner))),
    );
    assert.deepEqual(new Set(keys.map(({ version }) => version)), new Set([1]));
  }
});
