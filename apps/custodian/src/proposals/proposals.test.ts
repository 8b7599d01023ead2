import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, newId, Secret, systemRng as rng, type DeviceId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { CustodianClient } from '@ringfence/client/custodian';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { nextStatement, signStatement } from '@ringfence/keyring';
import { LOOK_EVERY_MS } from '@ringfence/policy/assurance';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { Secret as OtpSecret } from 'otpauth';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { signPolicy } from '../fixtures/rules.fixture.ts';
import { hotp } from '../members/hotp.ts';
import { lookAtProposals } from './proposal-watch.ts';
import { approveProposal } from './propose.ts';

const DAY_MS = 86_400_000;
const ROUNDS = process.env['RINGFENCE_TEST_FULL'] === '1' ? 200 : 3;
const ahead = { by: 0 };
const clock = { ...systemClock, now: () => epochMs(systemClock.now() + ahead.by) };
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let ada: Person;
let ben: Person;

interface Person {
  readonly device: DeviceId;
  readonly sign: SigningKey;
  readonly client: CustodianClient;
  secret: string;
}

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  ada = { ...organisation, secret: '' };
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const claimed = () => rig.custodian.context.owner.claimed ?? assert.fail();
const next = (change: KeyringChange, ...keys: SigningKey[]) =>
  signStatement('keyring', nextStatement(claimed().keyring, change, clock.now()), keys);
const newDevice = () => ({ device: newId('device', rng), sign: SigningKey.generate(rng), tls: TlsKey.generate(rng) });
const adding = ({ device, sign, tls }: ReturnType<typeof newDevice>): KeyringChange => ({
  kind: 'add-device',
  device,
  sign: sign.publicKey,
  tls: tls.publicKey,
});
const proposed = { code: 'proposed', status: 202 };

function codeOf(base32: string): string {
  const key = new Secret(new Uint8Array(OtpSecret.fromBase32(base32).buffer));
  return hotp(key, Math.floor(clock.now() / 30_000));
}

/** Lets time pass in looks: only then it counts. */
async function wait(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += LOOK_EVERY_MS) {
    ahead.by += LOOK_EVERY_MS;
    await lookAtProposals(rig.custodian.context, claimed());
  }
}

async function stepUp(...people: Person[]): Promise<void> {
  ahead.by += 60_000;
  for (const { client, secret } of people) await client.access.stepUp(codeOf(secret));
}

/** As if looks had counted so much of the delay already: as many as it takes would be thousands. */
async function spendDelay(waitedMs: number): Promise<void> {
  await rig.custodian.context.store.withOrg(organisation.org, async (tx) => {
    const { state } = await tx
      .selectFrom('proposal')
      .select('state')
      .where('open', '=', true)
      .executeTakeFirstOrThrow();
    await tx
      .updateTable('proposal')
      .set({ state: JSON.stringify({ ...state, waitedMs, lookedAt: clock.now() }) })
      .where('open', '=', true)
      .execute();
  });
}

async function enrol(person: Person): Promise<void> {
  ahead.by += 60_000;
  person.secret = await person.client.access.beginTotp();
  await person.client.access.confirmTotp(codeOf(person.secret));
}

const newest = async () => (await ada.client.access.proposals())[0] ?? assert.fail('nothing is proposed');

test('while device keys are all there is, one officer does at once what takes two people', async () => {
  const second = newDevice();
  await ada.client.appendStatement(next(adding(second), ada.sign));
  await ada.client.appendStatement(
    next({ kind: 'bind-role', device: second.device, role: 'owner' }, organisation.root),
  );
  assert.deepEqual(await ada.client.access.proposals(), []);
});

test('on the first day a lone officer with a factor does it at once, too; then it waits a day of looks', async () => {
  await enrol(ada);
  const second = newDevice();
  await ada.client.appendStatement(next(adding(second), ada.sign));
  const owner = (role: 'owner' | 'officer') => next({ kind: 'bind-role', device: second.device, role }, ada.sign);
  await ada.client.appendStatement(owner('owner'));
  assert.equal((await newest()).outcome, 'done');
  ahead.by += 2 * DAY_MS;
  await assert.rejects(ada.client.appendStatement(owner('officer')), { code: 'step-up' });
  await stepUp(ada);
  await assert.rejects(ada.client.appendStatement(owner('officer')), proposed);
  ahead.by += 2 * DAY_MS;
  await wait(2 * LOOK_EVERY_MS);
  assert.deepEqual([(await newest()).phase, claimed().keyring.rolesOf(second.device).length], ['waiting', 1]);
  await spendDelay(DAY_MS - 3 * LOOK_EVERY_MS);
  await wait(2 * LOOK_EVERY_MS);
  assert.equal((await newest()).phase, 'waiting');
  await wait(LOOK_EVERY_MS);
  assert.deepEqual([(await newest()).outcome, claimed().keyring.rolesOf(second.device).length], ['done', 2]);
});

test('what is grave and takes one person is done at once, by whoever stepped up', async () => {
  ahead.by += DAY_MS;
  const device = newDevice();
  await assert.rejects(ada.client.appendStatement(next(adding(device), ada.sign)), { code: 'step-up' });
  await stepUp(ada);
  await ada.client.appendStatement(next(adding(device), ada.sign));
});

test('a lone officer’s proposal is objected to by an owner without a factor, and is over', async () => {
  const [officer, owner] = [newDevice(), newDevice()];
  await stepUp(ada);
  for (const device of [officer, owner]) await ada.client.appendStatement(next(adding(device), ada.sign));
  await assert.rejects(
    ada.client.appendStatement(next({ kind: 'bind-role', device: owner.device, role: 'owner' }, ada.sign)),
    proposed,
  );
  await spendDelay(DAY_MS);
  await wait(LOOK_EVERY_MS);
  assert.equal((await newest()).outcome, 'done');
  const saysNo = await rig.client(owner.tls);
  await stepUp(ada);
  await assert.rejects(
    ada.client.appendStatement(next({ kind: 'add-officer', device: officer.device }, ada.sign)),
    proposed,
  );
  await saysNo.access.objectTo((await newest()).proposal);
  assert.equal((await newest()).outcome, 'objected');
  await assert.rejects(ada.client.access.approveProposal((await newest()).proposal, (await newest()).digest), {
    code: 'conflict',
  });
  await wait(LOOK_EVERY_MS);
  assert.equal(claimed().keyring.isOfficer(officer.device), false);
});

test('of two officers the second agrees, by a device that stepped up, to what it looked at', async () => {
  const made = newDevice();
  await stepUp(ada);
  await ada.client.appendStatement(next(adding(made), ada.sign));
  await assert.rejects(
    ada.client.appendStatement(next({ kind: 'add-officer', device: made.device }, ada.sign)),
    proposed,
  );
  await spendDelay(DAY_MS);
  await wait(LOOK_EVERY_MS);
  await ada.client.appendStatement(next({ kind: 'bind-role', device: made.device, role: 'ml-engineer' }, ada.sign));
  ben = { ...made, client: await rig.client(made.tls), secret: '' };
  await stepUp(ada);
  await assert.rejects(ada.client.access.nameMember({ device: ben.device, like: ada.device }), { code: 'conflict' });
  const statement = signPolicy(organisation, { seq: 1, cedar: '' }, [ada.sign, ben.sign]);
  await assert.rejects(ada.client.rules.setPolicy(statement), proposed);
  const { proposal, digest } = await newest();
  const other = 'ab'.repeat(32) as typeof digest;
  await assert.rejects(ben.client.access.approveProposal(proposal, digest), { code: 'not-authorised' });
  await ada.client.appendStatement(next({ kind: 'bind-role', device: ben.device, role: 'data-owner' }, ada.sign));
  await assert.rejects(
    ada.client.appendStatement(next({ kind: 'bind-role', device: ben.device, role: 'officer' }, ada.sign, ben.sign)),
    proposed,
  );
  await enrol(ben);
  await assert.rejects(ben.client.access.approveProposal(proposal, digest), { code: 'not-authorised' });
  await organisationRole(ben);
  await assert.rejects(ben.client.access.approveProposal(proposal, other), { code: 'conflict' });
  assert.equal(await ada.client.rules.policy(), null);
  await ben.client.access.approveProposal(proposal, digest);
  assert.notEqual(await ada.client.rules.policy(), null);
  assert.equal((await ada.client.access.proposals()).find((one) => one.proposal === proposal)?.outcome, 'done');
});

/** The keyring's officer gets the role that lets one ask: both officers sign it, and ben hands in what ada proposed. */
async function organisationRole(person: Person): Promise<void> {
  const { context } = rig.custodian;
  const open = (await ada.client.access.proposals()).find(
    ({ kind, outcome }) => kind === 'keyring' && outcome === null,
  );
  assert.ok(open !== undefined);
  await approveProposal(context, claimed(), { id: open.proposal, digest: open.digest, device: person.device });
}

test(`of 64 who agree at once one carries it out, ${ROUNDS} times over`, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    await stepUp(ada, ben);
    const statement = signPolicy(organisation, { seq: 2 + round, cedar: '' }, [ada.sign, ben.sign]);
    await assert.rejects(ada.client.rules.setPolicy(statement), proposed);
    const { proposal, digest } = await newest();
    const agreed = await Promise.allSettled(
      Array.from({ length: 64 }, () => ben.client.access.approveProposal(proposal, digest)),
    );
    assert.equal(agreed.filter(({ status }) => status === 'fulfilled').length, 1);
  }
  const { context } = rig.custodian;
  const events = await context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('event').select('type').where('type', '=', 'policy-set').execute(),
  );
  assert.equal(events.length, 1 + ROUNDS);
});

test('two devices of one person are one who agrees', async () => {
  const again = newDevice();
  await stepUp(ada, ben);
  await ada.client.appendStatement(next(adding(again), ada.sign));
  await ada.client.access.nameMember({ device: again.device, like: ada.device });
  await assert.rejects(
    ada.client.appendStatement(next({ kind: 'add-officer', device: again.device }, ada.sign, ben.sign)),
    proposed,
  );
  const { proposal, digest } = await newest();
  await ben.client.access.approveProposal(proposal, digest);
  assert.equal(claimed().keyring.isOfficer(again.device), true);
  const statement = signPolicy(organisation, { seq: 2 + ROUNDS, cedar: '' }, [ada.sign, again.sign]);
  await assert.rejects(ada.client.rules.setPolicy(statement), proposed);
  const open = await newest();
  rig.custodian.context.access.noteGiven(again.device, 'totp', clock.now());
  await assert.rejects(
    approveProposal(rig.custodian.context, claimed(), { id: open.proposal, digest: open.digest, device: again.device }),
    { code: 'proposed' },
  );
  assert.deepEqual([(await newest()).phase, (await newest()).approvals.length], ['collecting', 2]);
});

test('a proposal that the keyring has left behind fails when it is carried out, and never again', async () => {
  await stepUp(ada, ben);
  const [one, late] = [newDevice(), newDevice()];
  await ada.client.appendStatement(next(adding(one), ada.sign));
  await assert.rejects(
    ada.client.appendStatement(next({ kind: 'add-officer', device: one.device }, ada.sign, ben.sign)),
    proposed,
  );
  const { proposal, digest } = await newest();
  await ada.client.appendStatement(next(adding(late), ada.sign));
  await assert.rejects(ben.client.access.approveProposal(proposal, digest), { code: 'bad-statement' });
  assert.equal((await newest()).outcome, 'failed');
});
