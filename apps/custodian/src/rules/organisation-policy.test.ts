import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { nextStatement, readStatement, signStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { addDataset, depositTestJob, makeTestJob } from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { signPolicy, signProfile } from '../fixtures/rules.fixture.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let version = 0;

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig(), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  await addDataset(rig, organisation, { name: 'admissions' });
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const forbid = (condition: string, id = 'rule'): string =>
  `@id("${id}") forbid (principal, action, resource) when { ${condition} };`;

async function set(cedar: string, access?: string): Promise<void> {
  const texts = access === undefined ? { cedar } : { cedar, access };
  await organisation.client.rules.setPolicy(signPolicy(organisation, { seq: version + 1, ...texts }));
  version += 1;
}

test('without a policy, and with one that forbids something else, jobs are deposited as before', async () => {
  assert.equal(await organisation.client.rules.policy(), null);
  await depositTestJob(rig, organisation);
  await set(forbid('resource.datasets.contains("others")'));
  await depositTestJob(rig, organisation, { mounts: ['admissions'] });
});

test('what a policy forbids is refused at the deposit, and the refusal names the policies', async () => {
  await set(
    `${forbid('resource.datasets.contains("admissions")', 'not-these')}${forbid('resource.gpus > 0', 'no-gpus')}`,
  );
  await assert.rejects(depositTestJob(rig, organisation, { mounts: ['admissions'] }), {
    code: 'not-authorised',
    message: /policy forbids this job: not-these$/,
  });
  await depositTestJob(rig, organisation);
  const { label, placement, workload } = await makeTestJob(rig, organisation, { mounts: ['admissions'] });
  const { client } = organisation;
  assert.deepEqual(await client.rules.policiesAgainst({ label, placement, workload }), ['not-these']);
  assert.deepEqual(await client.rules.policiesAgainst({ label, placement, workload: { ...workload, mounts: [] } }), []);
});

test('a policy can demand a profile', async () => {
  await set(forbid('!(resource has profile && resource.profile == "strict")', 'strict-only'));
  await organisation.client.rules.setProfile(signProfile(organisation, { seq: 1, name: 'strict', requirements: {} }));
  await assert.rejects(depositTestJob(rig, organisation), /strict-only/);
  await depositTestJob(rig, organisation, { profile: 'strict' });
});

test('a policy that permits, does not validate, is older, or is signed by nobody who may is refused', async () => {
  const { client } = organisation;
  const permit = '@id("a") permit (principal, action, resource);';
  await assert.rejects(set(permit), { code: 'bad-statement', message: /can only forbid/ });
  await assert.rejects(set(forbid('resource.unknown')), { code: 'bad-statement' });
  assert.match((await client.rules.policyFaults(permit)).join(), /can only forbid/);
  assert.deepEqual(await client.rules.policyFaults(forbid('resource.gpus > 0')), []);
  for (const seq of [1, version, version + 2])
    await assert.rejects(client.rules.setPolicy(signPolicy(organisation, { seq, cedar: '' })), { code: 'conflict' });
  const next = { seq: version + 1, cedar: '' };
  const stranger = SigningKey.generate(rng);
  for (const keys of [[stranger], [organisation.root]])
    await assert.rejects(client.rules.setPolicy(signPolicy(organisation, next, keys)), { code: 'bad-statement' });
});

const OWN_ROLES = `
@id("looks-at-custodian")
permit (principal is Device, action in [Action::"custodian:status"], resource)
when { principal.roles.contains("read-only") };
@id("owners-alone-list-artifacts")
forbid (principal is Device, action == Action::"artifact:list", resource)
unless { principal.roles.contains("owner") };`;
const reader = TlsKey.generate(rng);

test('own roles give what a built-in role gives and forbid it, from when officers signed them; what they say can be asked and tried', async () => {
  const { client } = organisation;
  const device = newId('device', rng);
  const add = async (change: KeyringChange): Promise<void> => {
    const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
    const statement = nextStatement(keyring, change, clock.now());
    await client.appendStatement(signStatement('keyring', statement, [organisation.root]));
  };
  await add({ kind: 'add-device', device, sign: SigningKey.generate(rng).publicKey, tls: reader.publicKey });
  await add({ kind: 'bind-role', device, role: 'read-only' });
  const reading = await rig.client(reader);
  await assert.rejects(reading.status(), { code: 'not-authorised' });
  const questions = [
    { principal: device, action: 'custodian:status' },
    { principal: { roles: ['auditor' as const] }, action: 'artifact:list' },
    { principal: { roles: ['owner' as const] }, action: 'artifact:list' },
    { principal: device, action: 'grant:request' },
  ];
  const wanted = [
    { allow: true, policies: ['looks-at-custodian'], why: 'permitted' },
    { allow: false, policies: ['owners-alone-list-artifacts'], why: 'forbidden' },
    { allow: true, policies: ['owner-may-all'], why: 'permitted' },
    { allow: false, policies: [], why: 'not-permitted' },
  ];
  assert.deepEqual(await client.access.ask(questions, OWN_ROLES), wanted);
  assert.deepEqual(
    (await client.access.ask(questions)).map(({ allow }) => allow),
    [false, true, true, false],
  );
  await assert.rejects(client.access.ask(questions, '@id("x") permit (principal, action, resource);'), {
    code: 'bad-statement',
  });
  await assert.rejects(client.access.ask([{ principal: device, action: 'job:sotp' }]), { code: 'bad-request' });
  const greedy = OWN_ROLES.replace('custodian:status', 'keyring:append');
  const next = { seq: version + 1, cedar: forbid('resource.gpus > 7', 'strict-only') };
  await assert.rejects(client.rules.setPolicy(signPolicy(organisation, { ...next, access: greedy })), {
    code: 'bad-statement',
    message: /looks-at-custodian permits what owners and officers alone may: keyring:append/,
  });
  await client.rules.setPolicy(signPolicy(organisation, { ...next, access: OWN_ROLES }));
  version += 1;
  assert.deepEqual(await client.access.ask(questions), wanted);
  await reading.status();
  await assert.rejects(reading.artifacts(), { code: 'not-authorised', message: /forbids artifact:list: owners-alone/ });
  await client.artifacts();
});

test('it holds after a restart, and where there are two officers both have to sign the next', async () => {
  await set(forbid('!(resource has profile && resource.profile == "strict")', 'strict-only'), OWN_ROLES);
  await rig.restart();
  const client = await rig.client(organisation.tls);
  const again = { ...organisation, client };
  await assert.rejects(depositTestJob(rig, again), /strict-only/);
  await (await rig.client(reader)).status();
  await assert.rejects((await rig.client(reader)).artifacts(), { code: 'not-authorised' });
  const [device, sign] = [newId('device', rng), SigningKey.generate(rng)];
  const add = async (change: KeyringChange): Promise<void> => {
    const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
    await client.appendStatement(
      signStatement('keyring', nextStatement(keyring, change, clock.now()), [organisation.root]),
    );
  };
  await add({ kind: 'add-device', device, sign: sign.publicKey, tls: TlsKey.generate(rng).publicKey });
  await add({ kind: 'add-officer', device });
  const next = { seq: version + 1, cedar: '' };
  await assert.rejects(client.rules.setPolicy(signPolicy(organisation, next)), { code: 'bad-statement' });
  await client.rules.setPolicy(signPolicy(organisation, next, [organisation.sign, sign]));
  const kept = (await client.rules.policy()) ?? assert.fail();
  assert.equal(readStatement('policy', kept).claimed.seq, version + 1);
  await depositTestJob(rig, again);
});
