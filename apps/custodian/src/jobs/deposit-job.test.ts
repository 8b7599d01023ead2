import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { readStatement } from '@ringfence/keyring';
import { addDataset, depositOf, depositTestJob, makeTestJob } from '../fixtures/agent.fixture.ts';
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

test('a job that says public and mounts restricted data is labelled restricted, and cannot be deposited as less', async () => {
  await addDataset(rig, organisation, { name: 'patients', sensitivity: 'restricted' });
  const asked = { job: newId('job', rng), mounts: ['patients'], wish: 'public', validMs: 60_000 } as const;
  const label = await organisation.client.label({ ...asked, mounts: ['patients'] });
  assert.equal(readStatement('label', label).claimed.sensitivity, 'restricted');
  const away = { tiers: ['private' as const, 'secure-cloud' as const], burst: 'allowed' as const };
  await assert.rejects(depositTestJob(rig, organisation, { mounts: ['patients'], placement: away }), {
    code: 'bad-statement',
    message: /less than the label demands/,
  });
  // A client that asks for the label of nothing and mounts the data all the same.
  const work = { mounts: [{ path: '/data0', dataset: 'patients' }] };
  await assert.rejects(depositTestJob(rig, organisation, { work }), /not the one of the data it mounts/);
});
