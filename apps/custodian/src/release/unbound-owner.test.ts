// An owner of data whose role is taken back: nothing opens by its word any more, and others stand in for it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { addDataset, joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import {
  addDevice,
  changeKeyring,
  decisionOn,
  endOf,
  ruleOf,
  runTestJob,
  type TestDevice,
} from '../fixtures/release.fixture.ts';

const closed = { code: 'not-released' };
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
/** The owner of `patients`, another data owner, and who wants to see. */
let hospital: TestDevice;
let insurer: TestDevice;
let engineer: TestDevice;

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
  hospital = await addDevice(rig, organisation);
  insurer = await addDevice(rig, organisation);
  engineer = await addDevice(rig, organisation, 'ml-engineer');
  const theirs = { ...organisation, client: hospital.client };
  await addDataset(rig, theirs, { name: 'patients', text: 'patients\n', sensitivity: 'restricted' });
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const runs = (by: TestOrganisation, options: Parameters<typeof runTestJob>[1]) =>
  runTestJob({ rig, organisation: by, controlPlane, agent }, options);
const changes = (kind: 'bind-role' | 'unbind-role', { device }: TestDevice, role: 'data-owner' | 'owner') =>
  changeKeyring(organisation, { kind, device, role } satisfies KeyringChange);

test('a standing rule of an owner whose role was taken back opens nothing, and who stands in ends it and decides', async () => {
  const { client, org } = organisation;
  const dataset = (await client.artifacts()).find(({ name }) => name === 'patients')?.artifact ?? assert.fail();
  const rule = ruleOf(organisation, hospital, { scope: { dataset }, kinds: ['artifact'] });
  await hospital.client.release.addRule(rule);
  await runs(organisation, { mounts: ['patients'], outputs: ['before'] });
  await engineer.client.openArtifact('before');
  await assert.rejects(insurer.client.release.end(endOf(organisation, insurer, rule)), { code: 'not-authorised' });

  await changes('unbind-role', hospital, 'data-owner');
  await runs(organisation, { mounts: ['patients'], outputs: ['later'] });
  for (const name of ['before', 'later']) await assert.rejects(engineer.client.openArtifact(name), closed, name);
  const request = await engineer.client.release.request({
    of: [{ artifact: 'later' }],
    purpose: 'research',
    recipients: { org, devices: [engineer.device] },
    validMs: 60_000,
  });
  assert.deepEqual(request.sources[0]?.owners, [insurer.device], 'whoever has the role data-owner');
  await assert.rejects(
    hospital.client.release.decide(request.request, 'approve', decisionOn(organisation, hospital, request)),
    { code: 'not-authorised' },
  );
  await insurer.client.release.decide(request.request, 'approve', decisionOn(organisation, insurer, request));
  await engineer.client.openArtifact('later');
  await assert.rejects(engineer.client.openArtifact('before'), closed);

  await insurer.client.release.end(endOf(organisation, insurer, rule));
  await changes('bind-role', hospital, 'data-owner');
  await assert.rejects(engineer.client.openArtifact('before'), closed, 'an ended rule stays ended');
});

test('of a job that is gated by its own wish nothing opens by the word of whoever ordered it and may release no more', async () => {
  const boss = await addDevice(rig, organisation, 'owner');
  const { device, sign, tls, client } = boss;
  const job = await runs({ ...organisation, device, sign, tls, client }, { outputs: ['wished'], wish: 'restricted' });
  await client.release.addRule(ruleOf(organisation, boss, { scope: { job }, kinds: ['artifact'] }));
  await engineer.client.openArtifact('wished');
  await changes('unbind-role', boss, 'owner');
  await assert.rejects(engineer.client.openArtifact('wished'), closed);
});
