import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, newId, Secret, systemRng as rng, type DeviceId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { CustodianClient } from '@ringfence/client/custodian';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { nextStatement, signStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { Secret as OtpSecret } from 'otpauth';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { hotp } from './hotp.ts';

const ROUNDS = process.env['RINGFENCE_TEST_FULL'] === '1' ? 200 : 3;
const AT_ONCE = 64;
const STEP_MS = 30_000;
const ahead = { by: 0 };
const clock = { ...systemClock, now: () => epochMs(systemClock.now() + ahead.by) };
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let owner: CustodianClient;
let secret = '';
let used = '';
let engineersSecret = '';
let recovery: string[] = [];

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  owner = organisation.client;
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

/** The code that the authenticator shows `steps` from now. */
function codeOf(base32: string, steps = 0): string {
  const counter = Math.floor(clock.now() / STEP_MS) + steps;
  return hotp(new Secret(new Uint8Array(OtpSecret.fromBase32(base32).buffer)), counter);
}

async function append(change: KeyringChange): Promise<void> {
  const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
  const statement = signStatement('keyring', nextStatement(keyring, change, clock.now()), [organisation.root]);
  await owner.appendStatement(statement);
}

async function addDevice(role: 'ml-engineer'): Promise<{ device: DeviceId; tls: TlsKey; client: CustodianClient }> {
  const [device, tls] = [newId('device', rng), TlsKey.generate(rng)];
  await append({ kind: 'add-device', device, sign: SigningKey.generate(rng).publicKey, tls: tls.publicKey });
  await append({ kind: 'bind-role', device, role });
  return { device, tls, client: await rig.client(tls) };
}

const makeCode = () => owner.makeJoinCode({ name: 'n', site: 's', tier: 'private', validMs: 60_000 });
let engineer: Awaited<ReturnType<typeof addDevice>>;

test('without an officer’s factor device keys are all that is asked, also when somebody else has one', async () => {
  engineer = await addDevice('ml-engineer');
  await makeCode();
  engineersSecret = await engineer.client.access.beginTotp();
  await engineer.client.access.confirmTotp(codeOf(engineersSecret));
  assert.equal((await owner.access.members()).mode, 'device-only');
  await makeCode();
});

test('an officer’s first factor ends that for good: what is grave asks for a young code, what is daily does not', async () => {
  secret = await owner.access.beginTotp();
  await assert.rejects(owner.access.confirmTotp('000000'), { code: 'bad-code', status: 403 });
  await assert.rejects(owner.access.confirmTotp(codeOf(secret)), { code: 'too-soon', status: 429 });
  ahead.by += 2_000;
  recovery = await owner.access.confirmTotp(codeOf(secret));
  assert.equal(recovery.length, 10);
  assert.equal((await owner.access.members()).mode, 'factors');
  await makeCode();
  ahead.by += 15 * 60_000;
  await assert.rejects(makeCode(), { code: 'step-up', status: 401 });
  await owner.agents();
  used = codeOf(secret);
  assert.deepEqual(await owner.access.stepUp(used), { given: 'totp' });
  await makeCode();
});

test('a step is good once, a code of another member never, and what was given at one device counts at no other', async () => {
  await assert.rejects(owner.access.stepUp(used), { code: 'bad-code' });
  ahead.by += 3 * STEP_MS;
  await assert.rejects(engineer.client.access.stepUp(codeOf(secret)), { code: 'bad-code' });
  ahead.by += 12 * 3_600_000;
  used = codeOf(secret);
  await owner.access.stepUp(used);
  await assert.rejects(engineer.client.setSecret('TOKEN', 'v'), { code: 'step-up' });
});

test('the same after a restart, which forgets neither the step nor what was given', async () => {
  await rig.restart();
  owner = await rig.client(organisation.tls);
  await makeCode();
  await assert.rejects(owner.access.stepUp(used), { code: 'bad-code' });
  ahead.by += 15 * 60_000;
  await assert.rejects(makeCode(), { code: 'step-up' });
});

test('a recovery code sets up a new authenticator, once, and does nothing else', async () => {
  const [code = '', other = ''] = recovery;
  await assert.rejects(owner.access.beginTotp(), { code: 'step-up' });
  assert.deepEqual(await owner.access.stepUp(code.toUpperCase()), { given: 'recovery-code' });
  await assert.rejects(makeCode(), { code: 'step-up' });
  await assert.rejects(owner.access.stepUp(code), { code: 'bad-code' });
  ahead.by += 2_000;
  const next = await owner.access.beginTotp();
  await owner.access.confirmTotp(codeOf(next));
  ahead.by += 2 * STEP_MS;
  await assert.rejects(owner.access.stepUp(codeOf(secret)), { code: 'bad-code' });
  ahead.by += 5_000;
  await assert.rejects(owner.access.stepUp(other), { code: 'bad-code' }, 'codes of before are void');
  secret = next;
  ahead.by += 15 * 60_000;
  await owner.access.stepUp(codeOf(secret));
});

test(`one of ${AT_ONCE} who show the same code at once gets in, ${ROUNDS} times over`, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    ahead.by += 20 * 60_000;
    const code = codeOf(secret);
    const tries = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => owner.access.stepUp(code)));
    assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  }
});

test('a device is one person’s for good', async () => {
  const { device: one } = engineer;
  const second = await addDevice('ml-engineer');
  ahead.by += 2 * STEP_MS;
  await owner.access.stepUp(codeOf(secret));
  await owner.access.nameMember({ device: second.device, like: one, name: 'Ada' });
  const { members } = await owner.access.members();
  const ada = members.find(({ name }) => name === 'Ada');
  assert.deepEqual(ada?.devices.toSorted(), [one, second.device].toSorted());
  await assert.rejects(owner.access.nameMember({ device: second.device, like: organisation.device }), {
    code: 'conflict',
  });
  await assert.rejects(owner.access.nameMember({ device: newId('device', rng) }), { code: 'not-found' });
});

test('what was given at a member’s devices ends with the authenticator that gave it', async () => {
  const client = await rig.client(engineer.tls);
  const given = () => client.setSecret('TOKEN', 'v');
  const sure = () => other.client.setSecret('TOKEN', 'v');
  const other = await addDevice('ml-engineer');
  await owner.access.nameMember({ device: other.device, like: engineer.device });
  ahead.by += 2 * STEP_MS;
  await client.access.stepUp(codeOf(engineersSecret));
  ahead.by += 2 * STEP_MS;
  await other.client.access.stepUp(codeOf(engineersSecret));
  await given();
  await sure();
  const next = await client.access.beginTotp();
  await client.access.confirmTotp(codeOf(next));
  await given();
  await assert.rejects(sure(), { code: 'step-up' }, 'it is another authenticator now');
  ahead.by += 2 * STEP_MS;
  await other.client.access.stepUp(codeOf(next));
  await sure();
  await client.access.removeTotp();
  for (const asked of [given, sure]) await assert.rejects(asked(), { code: 'step-up' });
  await rig.restart();
  const again = await rig.client(other.tls);
  await assert.rejects(again.setSecret('TOKEN', 'v'), { code: 'step-up' });
});
