// A role that is taken back: with the rules of binding, from that moment, told to the control plane and written down.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, newId, Secret, systemRng as rng, type DeviceId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { CustodianClient } from '@ringfence/client/custodian';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey, type Envelope } from '@ringfence/crypto/sign';
import { nextStatement, signStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { Secret as OtpSecret } from 'otpauth';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { hotp } from '../members/hotp.ts';

const ahead = { by: 0 };
const clock = { ...systemClock, now: () => epochMs(systemClock.now() + ahead.by) };
/** What is told to the control plane stays where this test reads it. */
const fault = (point: string): void => {
  if (point === 'outbox-before-journal') throw new Error('the journal takes nothing');
};
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let device: DeviceId;
let theirs: CustodianClient;
const sign = SigningKey.generate(rng);

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock, fault }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  device = newId('device', rng);
  const tls = TlsKey.generate(rng);
  await append({ kind: 'add-device', device, sign: sign.publicKey, tls: tls.publicKey });
  for (const role of ['auditor', 'operator', 'owner'] as const) await append({ kind: 'bind-role', device, role });
  theirs = await rig.client(tls);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const claimed = () => rig.custodian.context.owner.claimed ?? assert.fail();
const next = (change: KeyringChange, key: SigningKey): Envelope =>
  signStatement('keyring', nextStatement(claimed().keyring, change, clock.now()), [key]);
const append = (change: KeyringChange, key = organisation.sign) =>
  organisation.client.appendStatement(next(change, key));
const unbind = (role: 'auditor' | 'operator' | 'owner', of = device): KeyringChange => ({
  kind: 'unbind-role',
  device: of,
  role,
});

/** What the control plane was told last of the roles of the device. */
async function told(): Promise<unknown> {
  const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('outbox').select('message').orderBy('id').execute(),
  );
  const notices = rows.flatMap(({ message }) => (message.name === 'device-roles' ? [message.body] : []));
  return notices.findLast((body) => body.device === device)?.roles;
}

test('whoever hands it in needs the right to change the keyring, and its signer to be an officer', async () => {
  await assert.rejects(append(unbind('operator'), sign), { code: 'bad-statement' });
  await append(unbind('owner'));
  await assert.rejects(theirs.appendStatement(next(unbind('operator'), organisation.sign)), { code: 'not-authorised' });
  assert.deepEqual(claimed().keyring.roleWords(device), ['auditor', 'operator']);
});

test('it counts for the very next request, is told to the control plane and stands in the log', async () => {
  const joinCode = () => theirs.makeJoinCode({ name: 'n', site: 's', tier: 'private', validMs: 60_000 });
  await joinCode();
  assert.deepEqual(await told(), [{ role: 'auditor' }, { role: 'operator' }]);
  await append(unbind('operator'));
  await assert.rejects(joinCode(), { code: 'not-authorised', message: /no role of this device permits/ });
  await theirs.agents();
  assert.deepEqual(await told(), [{ role: 'auditor' }]);
  const { seq, digest } = claimed().keyring.head;
  const events = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('event').selectAll().where('type', '=', 'keyring-changed').execute(),
  );
  const { event } = JSON.parse(Buffer.from(events.at(-1)?.body ?? []).toString()) as { event: unknown };
  assert.deepEqual(event, { type: 'keyring-changed', seq, digest, kind: 'unbind-role' });
  await append(unbind('auditor'));
  await assert.rejects(theirs.agents(), { code: 'not-authorised' });
  assert.deepEqual(await told(), []);
});

test('what is not bound, and the last role that may change the keyring, is refused, and nothing changes', async () => {
  const { seq } = claimed().keyring.head;
  await assert.rejects(append(unbind('auditor')), { code: 'bad-statement', message: /role that is not bound/ });
  await assert.rejects(append(unbind('owner', organisation.device), organisation.root), {
    code: 'bad-statement',
    message: /nobody would be left/,
  });
  assert.equal(claimed().keyring.head.seq, seq);
});

test('the same after a restart: the keyring is folded again', async () => {
  organisation.client.close();
  theirs.close();
  await rig.restart();
  assert.deepEqual(claimed().keyring.roleWords(device), []);
  organisation = { ...organisation, client: await rig.client(organisation.tls) };
});

test('with factors it asks a young one; of `owner` it is proposed, and waits', async () => {
  for (const role of ['auditor', 'owner'] as const)
    await append({ kind: 'bind-role', device, role }, organisation.root);
  const { access } = organisation.client;
  const base32 = await access.beginTotp();
  const code = () =>
    hotp(new Secret(new Uint8Array(OtpSecret.fromBase32(base32).buffer)), Math.floor(clock.now() / 30_000));
  await access.confirmTotp(code());
  ahead.by += 2 * 86_400_000;
  await assert.rejects(append(unbind('auditor')), { code: 'step-up', status: 401 });
  await access.stepUp(code());
  await append(unbind('auditor'));
  await assert.rejects(append(unbind('owner')), { code: 'proposed', status: 202 });
  assert.deepEqual(claimed().keyring.roleWords(device), ['owner']);
});
