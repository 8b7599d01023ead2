import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, systemRng as rng, type DeviceId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { CustodianClient } from '@ringfence/client/custodian';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { nextStatement, signStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { until } from '@ringfence/base/until';
import type { Fault } from '../fault-points.ts';
import { joinRig, type TestAgent } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let owner: CustodianClient;
let agent: TestAgent;
let witness: TestAgent;

before(async () => {
  // What is for the control plane stays in the outbox, where it can be read.
  const fault: Fault = (point) => {
    if (point === 'outbox-before-journal') throw new Error('the journal takes nothing');
  };
  [rig, controlPlane] = await Promise.all([startRig({ fault }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  owner = organisation.client;
  agent = await joinRig(rig, organisation, 'node-1', 'lab');
  witness = await joinRig(rig, organisation, 'node-2', 'hall');
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

async function append(change: KeyringChange): Promise<void> {
  const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
  const statement = signStatement('keyring', nextStatement(keyring, change, systemClock.now()), [organisation.root]);
  await owner.appendStatement(statement);
}

async function addDevice(...roles: ('ml-engineer' | 'auditor')[]): Promise<{ id: DeviceId; client: CustodianClient }> {
  const [id, tls] = [newId('device', rng), TlsKey.generate(rng)];
  await append({ kind: 'add-device', device: id, sign: SigningKey.generate(rng).publicKey, tls: tls.publicKey });
  for (const role of roles) await append({ kind: 'bind-role', device: id, role });
  return { id, client: await rig.client(tls) };
}

/** What of locks stands in the ledger, and who asked for it. */
async function events(): Promise<readonly unknown[]> {
  const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('event').select(['type', 'body']).where('type', 'like', 'lock-%').orderBy('seq').execute(),
  );
  return rows.map(({ type, body }) => [type, JSON.parse(Buffer.from(body).toString()).event.asker]);
}

/** What waits for the control plane about locks, oldest first. */
async function words(): Promise<readonly unknown[]> {
  const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('outbox').select('message').orderBy('id').execute(),
  );
  return rows.flatMap(({ message }) => (message.name === 'lock-word' ? [message.body] : []));
}

const site = () => rig.custodian.context.owner.claimed?.keyring.agent(agent.id)?.site ?? assert.fail();
const answers = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  );

test('a locked site cuts what its agents have under way, tells the others, and is lifted', async () => {
  const { seq } = await agent.client.heldLocks(0);
  const waiting = agent.client.heldLocks(seq);
  const heard = witness.client.heldLocks(seq);
  const lock = await owner.locks.set({ kind: 'site', site: site() });
  await assert.rejects(waiting, 'its question was cut');
  assert.deepEqual(
    (await heard).agents.map(({ agent: id }) => id),
    [agent.id],
  );
  assert.equal(await answers(agent.client.heldLocks(0)), false, 'nor does it come back');
  await assert.rejects(owner.locks.set({ kind: 'site', site: site() }), { code: 'conflict', status: 409 });
  const lifted = await owner.locks.agree(lock.lock, 'lift', lock.term);
  assert.equal(lifted.done, true, 'a lone officer waits for nothing on the first day');
  await until(() => answers(agent.client.heldLocks(0)), 'the agent is let back in');
  const asker = { device: organisation.device };
  assert.deepEqual(await events(), [
    ['lock-set', asker],
    ['lock-ended', asker],
  ]);
  const target = site();
  assert.deepEqual(await words(), [
    { target, locked: true, until: lock.until },
    { target, locked: false, until: null },
  ]);
});

test('a locked device is cut off and told to whoever serves it; who mints and reads as another role goes on', async () => {
  const engineer = await addDevice('ml-engineer', 'auditor');
  assert.equal(await answers(engineer.client.endpoints()), true);
  const lock = await owner.locks.set({ kind: 'device', device: engineer.id });
  assert.equal(await answers(engineer.client.endpoints()), false);
  const { devices } = await witness.client.heldLocks(0);
  assert.deepEqual(
    devices.map(({ device }) => device),
    [engineer.id],
  );
  await owner.locks.agree(lock.lock, 'lift', lock.term);
  await until(() => answers(engineer.client.endpoints()), 'the device is let back in');
  const told = await words();
  assert.deepEqual(
    told.slice(-2),
    [
      { target: engineer.id, locked: true, until: lock.until },
      { target: engineer.id, locked: false, until: null },
    ],
    'the control plane is told',
  );
  const role = await owner.locks.set({ kind: 'role', role: 'ml-engineer' });
  await until(() => answers(engineer.client.endpoints()), 'it comes back as an auditor');
  await assert.rejects(engineer.client.label({ job: newId('job', rng), mounts: [], validMs: 60_000 }), {
    code: 'not-authorised',
  });
  await owner.locks.agree(role.lock, 'lift', role.term);
  assert.deepEqual(await words(), told, 'and of no role: it does not know what a role may here');
});

test('a lone officer cannot lock itself out, nor can a device that is no officer’s lock anybody', async () => {
  await assert.rejects(owner.locks.set({ kind: 'device', device: organisation.device }), { code: 'conflict' });
  await assert.rejects(owner.locks.set({ kind: 'role', role: 'officer' }), { code: 'conflict' });
  await assert.rejects(owner.locks.set({ kind: 'role', role: 'owner' }), { code: 'conflict' }, 'the only role it has');
  const { project } = organisation;
  await assert.rejects(owner.locks.set({ kind: 'role', role: 'owner', project }), { code: 'conflict' });
  const auditor = await addDevice('auditor');
  await assert.rejects(auditor.client.locks.set({ kind: 'site', site: site() }), { code: 'not-authorised' });
  assert.equal((await auditor.client.locks.list()).length, 0);
});

test('locks come back with the process: it lets nobody in before it has read them', async () => {
  const engineer = await addDevice('ml-engineer');
  await owner.locks.set({ kind: 'device', device: engineer.id });
  await rig.restart();
  const { locks, owner: mine } = rig.custodian.context;
  const [lock] = locks.of(mine.claimed?.org ?? assert.fail());
  assert.deepEqual(lock?.target, { kind: 'device', device: engineer.id });
});
