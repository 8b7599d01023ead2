import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { depositOf, makeTestJob } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

const AT_ONCE = 12;

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

test('many deposits at once are all taken: their locks on the organisation do not wait for each other', async () => {
  const made = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, index) => makeTestJob(rig, organisation, { outputs: [`model-${index}`] })),
  );
  const deposits = await Promise.all(made.map((job) => depositOf(rig, organisation, job)));
  await Promise.all(deposits.map((deposit) => organisation.client.deposit(deposit)));
  assert.equal((await organisation.client.jobs()).length, AT_ONCE);
});
