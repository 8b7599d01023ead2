import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemRng as rng } from '@ringfence/base';
import { need } from '../../../../scripts/needs.ts';
import { addDataset, ask, depositTestJob, grantBody, joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
let mounted = false;

before(async () => {
  const prepare = async (state: string): Promise<void> => {
    mkdirSync(join(state, 'objects'));
    const options = ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', join(state, 'objects')];
    mounted = spawnSync('mount', options, { stdio: 'ignore' }).status === 0;
  };
  [rig, controlPlane] = await Promise.all([startRig({ prepare }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
  await addDataset(rig, organisation, { name: 'rows' });
});
after(async () => {
  if (mounted) spawnSync('umount', ['-l', join(rig.state, 'objects')]);
  await rig.close();
  await controlPlane.close();
});

test('a full disk takes no uploads and still grants, and takes them again when there is room', async (t) => {
  if (!need(t, 'tmpfs')) return;
  assert.ok(mounted);
  const { client } = organisation;
  const megabyte = (): Uint8Array => rng.bytes(1_000_000);
  writeFileSync(join(rig.state, 'objects', 'filler'), Buffer.alloc(13_000_000));
  await client.uploadObjects([megabyte()]);
  const many = [megabyte(), megabyte(), megabyte()];
  await assert.rejects(client.uploadObjects(many), { code: 'disk-full', status: 507 });
  const { disk } = await client.status();
  assert.ok(disk !== undefined && disk.freeBytes >= disk.reserveBytes, 'the reserve is untouched');
  assert.ok(disk.objectBytes > 1_000_000, 'what arrived whole is known, so that it can be removed');
  const made = await depositTestJob(rig, organisation, { mounts: ['rows'] });
  const answer = await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }));
  assert.equal(answer.result, 'granted');
  rmSync(join(rig.state, 'objects', 'filler'));
  assert.equal((await client.uploadObjects(many)).length, 3);
});
