import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Clock, epochMs, type MonotonicMs, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { TlsKey } from '@ringfence/crypto/certificate';
import { checkCodeProof, foldKeyring } from '@ringfence/keyring';
import {
  addDataset,
  ask,
  commitBody,
  depositOf,
  depositTestJob,
  grantBody,
  joinBody,
  joinRig,
  makeTestJob,
  openGrant,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimProof, firstKeyring, makeOwner, type TestOrganisation } from '../fixtures/organisation.fixture.ts';

const ahead = { by: 0 };
const shifted: Clock = {
  ...clock,
  now: () => epochMs(clock.now() + ahead.by),
  monotonic: () => (clock.monotonic() + ahead.by) as MonotonicMs,
};
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock: shifted }), startControlPlaneDouble()]);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

test('a custodian is claimed once: by the proof on its own link, with its own keys, at the control plane of the code', async () => {
  const owner = makeOwner();
  const client = await rig.client(owner.tls);
  const code = rig.claimCode();
  await assert.rejects(client.status(), { code: 'unclaimed' });
  const asOther = claimProof(code, TlsKey.generate(rng), 'claim-keys-request', {});
  await assert.rejects(client.claimKeys({ proof: asOther }), { code: 'bad-code' }, 'a proof of another link');
  const { keys } = await client.claimKeys({ proof: claimProof(code, owner.tls, 'claim-keys-request', {}) });
  const bodyWith = (changed: object = {}) => ({
    keyring: firstKeyring(owner, { ...keys, ...changed }),
    registration: controlPlane.registrationCode(),
    passphraseSealed: true,
  });
  const claim = (body: ReturnType<typeof bodyWith>) =>
    client.claim({ ...body, proof: claimProof(code, owner.tls, 'claim-request', body) });
  await assert.rejects(claim(bodyWith({ tls: TlsKey.generate(rng).publicKey })), { code: 'bad-statement' });
  controlPlane.honest = false;
  await assert.rejects(claim(bodyWith()), { code: 'not-registered' }, 'a control plane that did not make the code');
  controlPlane.honest = true;
  const body = bodyWith();
  const rivals = await Promise.allSettled([claim(body), ...Array.from({ length: 7 }, () => claim(bodyWith()))]);
  const won = rivals.filter(({ status }) => status === 'fulfilled');
  assert.equal(won.length, 1);
  const [first] = won;
  assert.ok(first?.status === 'fulfilled');
  assert.deepEqual((await claim(body)).project, first.value.project, 'the same claim again gets the same answer');
  organisation = { ...owner, project: first.value.project, client };
  await client.status();
  await assert.rejects(claim(body), { code: 'claimed' }, 'over once the owner has come in');
});

test('64 agents that race for one code: one gets in, and only with the keys that it proved', async () => {
  const { code } = await organisation.client.makeJoinCode({
    name: 'node',
    site: 'lab',
    tier: 'private',
    validMs: 600_000,
    jurisdictions: ['DE'],
  });
  const machines = Array.from({ length: 16 }, () => TlsKey.generate(rng));
  const clients = await Promise.all(machines.map((tls) => rig.client(tls)));
  const joins = machines.flatMap((tls) => Array.from({ length: 4 }, () => joinBody(code, tls)));
  const results = await Promise.allSettled(
    joins.map(async ({ body }, index) => (clients[Math.floor(index / 4)] ?? assert.fail()).join(body)),
  );
  const winners = results.flatMap((result, index) =>
    result.status === 'fulfilled' ? [{ index, answer: result.value }] : [],
  );
  assert.equal(winners.length, 1);
  const [winner] = winners;
  const join = joins[winner?.index ?? 0];
  assert.ok(winner !== undefined && join !== undefined);
  const { proof, ...body } = winner.answer;
  const link = { client: join.tls.publicKey, server: join.code.route.custodian.tls };
  assert.ok(checkCodeProof(join.code.secret, { message: 'join-answer', link, body }, proof));
  const keyring = foldKeyring(winner.answer.keyring, organisation.root.publicKey);
  assert.equal(keyring.agent(winner.answer.agent)?.sign, join.sign.publicKey);
  assert.deepEqual(keyring.agent(winner.answer.agent)?.jurisdictions, ['DE']);
  const again = await (await rig.client(join.tls)).join(join.body);
  assert.equal(again.agent, winner.answer.agent, 'the same agent asking again gets the same answer');
  assert.equal((await organisation.client.agents()).length, 1);
  for (const client of clients) client.close();
});

test('swapped keys, a stolen request, an expired code and a removed key are refused', async () => {
  const make = () =>
    organisation.client.makeJoinCode({ name: 'node-2', site: 'lab', tier: 'private', validMs: 60_000 });
  const { code } = await make();
  const { body, tls } = joinBody(code);
  const swapped = { ...body, keys: { ...body.keys, sign: joinBody(code).body.keys.sign } };
  await assert.rejects((await rig.client(tls)).join(swapped), { code: 'bad-code' });
  await assert.rejects((await rig.client(TlsKey.generate(rng))).join(body), { code: 'bad-code' });
  await organisation.client.makeJoinCode({ name: 'later', site: 'lab', tier: 'private', validMs: 600_000 });
  ahead.by = 61_000;
  await assert.rejects((await rig.client(tls)).join(body), { code: 'bad-code' });
  ahead.by = 0;
  const agent = await joinRig(rig, organisation, 'node-3');
  await agent.client.keyring(-1);
  const listed = await organisation.client.removeAgent(agent.id, { reason: 'lost' });
  assert.ok(listed.agents.some((row) => row.agent === agent.id && row.removed));
  await assert.rejects(agent.client.keyring(-1), 'its link was cut, and it gets no other');
  const fresh = await make();
  const returning = joinBody(fresh.code, agent.tls);
  await assert.rejects((await rig.client(agent.tls)).join(returning.body), 'a removed key never comes back');
});

test('the label is the strictest of wish and data, and a job cannot be deposited under another', async () => {
  await addDataset(rig, organisation, {
    name: 'records',
    sensitivity: 'restricted',
    residency: ['DE', 'FR'],
    purposes: ['research'],
  });
  await addDataset(rig, organisation, { name: 'abroad', residency: ['US'] });
  const { client } = organisation;
  const labelled = await makeTestJob(rig, organisation, {});
  const ask = { job: labelled.body.job, validMs: 60_000 };
  const read = (label: { payload: string }) =>
    JSON.parse(Buffer.from(label.payload, 'base64').toString()) as Record<string, unknown>;
  const wished = read(await client.label({ ...ask, mounts: ['records'], wish: 'public', purpose: 'research' }));
  assert.deepEqual([wished['sensitivity'], wished['residency']], ['restricted', ['DE', 'FR']]);
  await assert.rejects(client.label({ ...ask, mounts: ['records'] }), { code: 'no-label' });
  await assert.rejects(client.label({ ...ask, mounts: ['records', 'abroad'], purpose: 'research' }), {
    code: 'no-label',
  });
  await assert.rejects(client.label({ ...ask, mounts: ['nothing'] }), { code: 'not-found' });
  const sneaky = { ...labelled, workload: { ...labelled.workload, mounts: [{ path: '/d', dataset: 'records' }] } };
  await assert.rejects(client.deposit(await depositOf(rig, organisation, sneaky)), { code: 'bad-statement' });
});

test('64 commits of one attempt make one result; an earlier attempt commits nothing', async () => {
  const [first, second] = [await joinRig(rig, organisation, 'a'), await joinRig(rig, organisation, 'b')];
  const made = await depositTestJob(rig, organisation, { outputs: ['model'] });
  const granted = await ask(first, grantBody(controlPlane, first, made, { attempt: 1 }));
  assert.ok(granted.result === 'granted');
  ahead.by = 46_000;
  const next = await ask(second, grantBody(controlPlane, second, made, { attempt: 2 }));
  ahead.by = 0;
  assert.ok(next.result === 'granted');
  const { outputs } = await openGrant(organisation, second, made, { attempt: 2, payload: next.payload });
  const late = await commitBody(organisation, first, made, { attempt: 1, outputs });
  const good = await commitBody(organisation, second, made, { attempt: 2, outputs });
  const missing = {
    ...good,
    outputs: good.outputs.map((output) => ({ ...output, pack: { ...output.pack, manifest: '0'.repeat(64) as never } })),
  };
  assert.deepEqual(await second.client.commit(missing), { result: 'refused', reason: 'missing-objects' });
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      index % 2 === 0 ? first.client.commit(late) : second.client.commit(good),
    ),
  );
  const records = new Set(answers.flatMap((answer) => (answer.result === 'committed' ? [answer.commit.payload] : [])));
  assert.equal(records.size, 1);
  assert.ok(answers.every((answer, index) => (answer.result === 'committed') === (index % 2 === 1)));
  const queued = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('event').select('type').where('type', '=', 'committed').execute(),
  );
  assert.equal(queued.length, 1);
});
