import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { TlsKey } from '@ringfence/crypto/certificate';
import { joinBody, joinRig } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

const ahead = { by: 0 };
const shifted = { ...clock, now: () => epochMs(clock.now() + ahead.by) };
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock: shifted }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

/** A join with a proof that is wrong, over a link of its own. */
async function knock(body = joinBody(spent).body) {
  return (await rig.client(TlsKey.generate(rng))).join(body);
}
let spent = '';
const makeCode = async () =>
  (await organisation.client.makeJoinCode({ name: 'n', site: 's', tier: 'private', validMs: 60_000 })).code;

test('a stranger gets a link only while a join code can be spent', async () => {
  spent = await makeCode();
  await assert.rejects(knock(), { code: 'bad-code' }, 'somebody may join');
  ahead.by = 61_000;
  await assert.rejects(knock(), { code: 'link-refused' }, 'the code has expired');
  ahead.by = 0;
  await joinRig(rig, organisation);
  await assert.rejects(knock(), { code: 'link-refused' }, 'the codes are expired or spent');
  await makeCode();
  await rig.restart();
  await assert.rejects(knock(), { code: 'bad-code' }, 'an open code outlives a restart');
});

test('strangers have 16 links together and 64 KiB for a join, and take no place of a member', async () => {
  const large = { ...joinBody(spent).body, padding: 'x'.repeat(65_536) };
  await assert.rejects(knock(large), { status: 413 });
  // Each client keeps its link, but for one that was told 413; one came before.
  for (let links = 1; links < 16; links += 1) await assert.rejects(knock(), { code: 'bad-code' });
  await assert.rejects(knock(), { code: 'link-refused' });
  await (await rig.client(organisation.tls)).status();
});
