import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, newId, systemRng as rng, silentLog, type Clock, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { readStatement, verifyStatement } from '@ringfence/keyring';
import type { ReleaseRow } from '@ringfence/protocol/payload';
import type { OpeningKind } from '@ringfence/protocol/statements';
import {
  addDataset,
  ask,
  commitBody,
  depositTestJob,
  grantBody,
  joinRig,
  randomDigest,
  type TestAgent,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { openArtifact } from '../artifacts/open-artifact.ts';
import { openStore } from '../store/open-store.ts';
import {
  addDevice,
  atOnce,
  changeKeyring,
  decisionOn,
  endOf,
  ruleOf,
  runTestJob,
  type TestDevice,
} from '../fixtures/release.fixture.ts';
import { decideRelease } from './decide-release.ts';

const DAY_MS = 86_400_000;
let ahead = 0;
const clock: Clock = { ...systemClock, now: () => epochMs(systemClock.now() + ahead) };

let databaseUrl = '';
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
/** Owners of `patients` and of `claims`; and a member who owns nothing. */
let hospital: TestDevice;
let insurer: TestDevice;
let engineer: TestDevice;

before(async () => {
  [rig, controlPlane] = await Promise.all([
    startRig({ clock, prepare: async (_, url) => void (databaseUrl = url) }),
    startControlPlaneDouble(),
  ]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
  hospital = await addDevice(rig, organisation);
  insurer = await addDevice(rig, organisation);
  engineer = await addDevice(rig, organisation, 'ml-engineer');
  for (const [name, { client }] of Object.entries({ patients: hospital, claims: insurer }))
    await addDataset(rig, { ...organisation, client }, { name, text: `${name}\n`, sensitivity: 'restricted' });
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const runs = (mounts: string[], output: string, purpose = 'care'): Promise<JobId> =>
  runTestJob({ rig, organisation, controlPlane, agent }, { mounts, outputs: [output], purpose });
const asked = (artifact: string, edit: Partial<Parameters<TestDevice['client']['release']['request']>[0]> = {}) =>
  engineer.client.release.request({
    of: [{ artifact }],
    purpose: 'research',
    recipients: { org: organisation.org, devices: [engineer.device] },
    validMs: DAY_MS,
    ...edit,
  });
const approves = (owner: TestDevice, request: ReleaseRow) =>
  owner.client.release.decide(request.request, 'approve', decisionOn(organisation, owner, request));
const refuses = (owner: TestDevice, request: ReleaseRow) =>
  owner.client.release.decide(
    request.request,
    'refuse',
    decisionOn(organisation, owner, request, { decision: 'refused' }),
  );
const artifactOf = async (name: string) =>
  (await organisation.client.artifacts()).find((row) => row.name === name)?.artifact ?? assert.fail(name);
const rule = async (
  owner: TestDevice,
  dataset: string,
  kinds: OpeningKind[],
  more: Partial<Parameters<typeof ruleOf>[2]> = {},
) => {
  const envelope = ruleOf(organisation, owner, { scope: { dataset: await artifactOf(dataset) }, kinds, ...more });
  await owner.client.release.addRule(envelope);
  return envelope;
};
const closed = { code: 'not-released' };

test('what is made of restricted data in two steps opens by its owner’s word for that digest, for whom it names, until it ends', async () => {
  await runs(['patients'], 'model');
  await runs(['model'], 'summary');
  await assert.rejects(engineer.client.openArtifact('summary'), closed);
  await assert.rejects(hospital.client.openArtifact('summary'), closed, 'not for its owner either, by itself');
  const request = await asked('summary');
  assert.deepEqual(
    request.sources.map(({ name, owners }) => ({ name, owners })),
    [{ name: 'patients', owners: [hospital.device] }],
  );
  for (const device of [insurer, engineer]) await assert.rejects(approves(device, request), { code: 'not-authorised' });
  const released = await approves(hospital, request);
  assert.equal(released.state, 'released');
  assert.deepEqual(await approves(hospital, request).catch(({ code }: { code: string }) => code), 'conflict');
  assert.ok((await engineer.client.openArtifact('summary')).pack.key.length > 0);
  await assert.rejects(organisation.client.openArtifact('summary'), closed, 'another device of the same organisation');
  await assert.rejects(engineer.client.openArtifact('model'), closed, 'another digest of the same data');

  await runs(['model'], 'summary');
  await assert.rejects(engineer.client.openArtifact('summary'), closed, 'a version that came after the approval');
  assert.equal((await engineer.client.openArtifact('summary', 1)).artifact.version, 1);

  const word = released.words[0]?.word ?? assert.fail();
  await engineer.client.release.end(endOf(organisation, engineer, word)).then(
    () => assert.fail('whoever owns nothing ends nothing'),
    ({ code }) => assert.equal(code, 'not-authorised'),
  );
  await hospital.client.release.end(endOf(organisation, hospital, word));
  await assert.rejects(engineer.client.openArtifact('summary', 1), closed);
  const [shown] = (await hospital.client.release.list()).requests;
  assert.deepEqual([shown?.state, shown?.openings], ['ended', 2], 'what was opened is said');
});

test('a digest that changed after the approval stays closed', async () => {
  await runs(['patients'], 'swapped');
  await approves(hospital, await asked('swapped'));
  await engineer.client.openArtifact('swapped');
  const artifact = await artifactOf('swapped');
  const { store } = rig.custodian.context;
  const swap = (manifest: Digest) =>
    store.withOrg(organisation.org, async (tx) => {
      const versions = tx.updateTable('artifact_version').where('artifact', '=', artifact);
      await versions.set({ manifest }).executeTakeFirstOrThrow();
    });
  await swap(randomDigest());
  await assert.rejects(engineer.client.openArtifact('swapped'), closed);
});

test('of two owners one refuses: it stays closed, also by the other’s word', async () => {
  await runs(['patients', 'claims'], 'joined');
  const request = await asked('joined');
  assert.equal((await approves(hospital, request)).state, 'open');
  await assert.rejects(engineer.client.openArtifact('joined'), closed, 'one of two');
  assert.equal((await refuses(insurer, request)).state, 'refused');
  await assert.rejects(engineer.client.openArtifact('joined'), closed);
  const all = await rule(insurer, 'claims', ['artifact']);
  await assert.rejects(engineer.client.openArtifact('joined'), closed, 'a refusal goes before a rule');
  await insurer.client.release.end(endOf(organisation, insurer, all));
  const again = await asked('joined');
  for (const owner of [hospital, insurer]) await approves(owner, again);
  await engineer.client.openArtifact('joined');
});

test('a statement that says something else than the request, or that another device signed, does not count', async () => {
  await runs(['patients'], 'forged');
  const request = await asked('forged');
  const other = await asked('forged', { purpose: 'marketing' });
  const hand = (envelope: Envelope, from = hospital) =>
    from.client.release.decide(request.request, 'approve', envelope);
  const edits = [
    { digests: ['00'.repeat(32) as never] },
    { purpose: 'marketing' },
    { recipients: { org: organisation.org } },
    { request: other.request },
    { org: newId('org', rng) },
    { notAfter: epochMs(clock.now() + 3 * DAY_MS) },
    { notAfter: epochMs(clock.now() - 1) },
    { decision: 'refused' as const },
    { device: insurer.device },
  ];
  for (const edit of edits)
    await assert.rejects(
      hand(decisionOn(organisation, hospital, request, edit)),
      { code: 'bad-statement' },
      JSON.stringify(edit),
    );
  const forged = decisionOn(organisation, { device: hospital.device, sign: insurer.sign }, request);
  await assert.rejects(hand(forged), { code: 'bad-statement' });
  await assert.rejects(hand(decisionOn(organisation, hospital, request), insurer), { code: 'bad-statement' });
  await assert.rejects(engineer.client.openArtifact('forged'), closed);
  const reader = await addDevice(rig, organisation, 'read-only');
  await assert.rejects(reader.client.release.list(), { code: 'not-authorised' });
  await assert.rejects(
    engineer.client.release.addRule(
      ruleOf(organisation, engineer, { scope: { dataset: await artifactOf('patients') }, kinds: ['artifact'] }),
    ),
    {
      code: 'not-authorised',
    },
  );
});

test('rules open for what they say: kind, recipient, purpose, size, number', async () => {
  const job = await runs(['patients'], 'ruled', 'care');
  const opens = async (kinds: OpeningKind[], more: Parameters<typeof rule>[3] = {}): Promise<boolean> => {
    const envelope = await rule(hospital, 'patients', kinds, more);
    const opened = await engineer.client.openArtifact('ruled').then(
      () => true,
      ({ code }) => code !== 'not-released',
    );
    await hospital.client.release.end(endOf(organisation, hospital, envelope));
    await assert.rejects(engineer.client.openArtifact('ruled'), closed, 'an ended rule');
    return opened;
  };
  const { org } = organisation;
  assert.equal(await opens(['artifact']), true);
  assert.equal(await opens(['artifact'], { scope: { job } }), true);
  assert.equal(await opens(['artifact'], { purposes: ['care'] }), true);
  assert.equal(await opens(['artifact'], { mostBytes: 1_000 }), true);
  assert.equal(await opens(['artifact'], { recipients: { org, devices: [engineer.device] } }), true);
  assert.equal(await opens(['logs', 'metrics', 'exec', 'copy', 'endpoint', 'endpoint-token']), false);
  assert.equal(await opens(['artifact'], { purposes: ['research'] }), false);
  assert.equal(await opens(['artifact'], { mostBytes: 3 }), false);
  assert.equal(await opens(['artifact'], { recipients: { org, devices: [insurer.device] } }), false);
  assert.equal(await opens(['artifact'], { recipients: { org: newId('org', rng) } }), false, 'another organisation');
  const three = await rule(hospital, 'patients', ['artifact'], { mostOpenings: 3 });
  const tries = await Promise.allSettled(Array.from({ length: 12 }, () => engineer.client.openArtifact('ruled')));
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 3);
  const listed = (await hospital.client.release.list()).rules.find(({ ended }) => !ended);
  assert.equal(listed?.openings, 3);
  await hospital.client.release.end(endOf(organisation, hospital, three));
});

test('streams of a running job open by a rule for their kind, and only for the agent that runs it', async () => {
  const made = await depositTestJob(rig, organisation, { mounts: ['patients'] });
  const answer = await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }));
  assert.equal(answer.result, 'granted');
  const other = await joinRig(rig, organisation, 'node-2');
  const stream = { job: made.body.job, attempt: 1, device: organisation.device };
  const shut = { result: 'refused', reason: 'not-released' };
  assert.deepEqual(await agent.client.release.opening({ ...stream, kind: 'logs' }), shut);
  assert.deepEqual(await agent.client.enter({ ...stream, kind: 'exec' }), { result: 'refused', reason: 'label' });
  const some = await rule(hospital, 'patients', ['logs', 'copy']);
  assert.deepEqual(await agent.client.release.opening({ ...stream, kind: 'logs' }), { result: 'opened' });
  assert.deepEqual(await agent.client.release.opening({ ...stream, kind: 'metrics' }), shut);
  assert.deepEqual(await other.client.release.opening({ ...stream, kind: 'logs' }), {
    result: 'refused',
    reason: 'not-found',
  });
  assert.deepEqual(await agent.client.enter({ ...stream, kind: 'copy-out' }), { result: 'allowed' });
  assert.deepEqual(await agent.client.enter({ ...stream, kind: 'exec' }), { result: 'refused', reason: 'label' });

  const { outputs } = await commitBody(organisation, agent, made, {
    attempt: 1,
    outputs: [{ path: '/o', artifact: newId('artifact', rng), version: 1 }],
  });
  const { pack, bytes } = outputs[0] ?? assert.fail();
  await agent.client.storeLog({ job: made.body.job, attempt: 1, pack, bytes });
  const sealed = () => organisation.client.sealedLogs(made.body.job, 1);
  await assert.rejects(sealed(), closed, 'a sealed log has metrics in it');
  const rest = await rule(hospital, 'patients', ['metrics']);
  assert.equal((await sealed()).logs.length, 1);
  for (const each of [some, rest]) await hospital.client.release.end(endOf(organisation, hospital, each));
  await assert.rejects(sealed(), closed);
  assert.deepEqual(await agent.client.release.opening({ ...stream, kind: 'logs' }), shut);
  const request = await asked('a log', { of: [{ logs: made.body.job }], recipients: { org: organisation.org } });
  await approves(hospital, request);
  assert.equal((await sealed()).logs.length, 1, 'by its digest');
});

test('answers of an endpoint are released to members and to callers with a token by a rule each, as gateways are told', async () => {
  const service = { port: 8_000, api: 'http', replicas: { min: 1, max: 1 } } as const;
  const name = 'risky';
  const made = await depositTestJob(rig, organisation, {
    type: 'serve',
    onPartition: 'keep',
    name,
    service,
    mounts: ['patients'],
  });
  await organisation.client.registerEndpoint({ name, service, jobs: [made.body.job] });
  await organisation.client.allowGateway(agent.id, true);
  assert.equal((await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }))).result, 'granted');
  const told = async () => (await agent.client.gatewayView(-1)).endpoints.find((each) => each.name === name)?.release;
  assert.deepEqual(await told(), { members: null, devices: [], tokens: null });
  const { seq } = await agent.client.gatewayView(-1);
  const next = agent.client.gatewayView(seq);
  const members = await rule(hospital, 'patients', ['endpoint']);
  assert.ok((await next).seq > seq, 'at once');
  const until = readStatement('release-rule', members).claimed.notAfter;
  assert.deepEqual(await told(), { members: until, devices: [], tokens: null });
  await hospital.client.release.end(endOf(organisation, hospital, members));
  const { org } = organisation;
  const some = await rule(hospital, 'patients', ['endpoint', 'endpoint-token'], {
    recipients: { org, devices: [engineer.device] },
  });
  const last = readStatement('release-rule', some).claimed.notAfter;
  assert.deepEqual(await told(), { members: null, devices: [{ device: engineer.device, until: last }], tokens: null });
  await hospital.client.release.end(endOf(organisation, hospital, some));
  assert.deepEqual(await told(), { members: null, devices: [], tokens: null });
  const counted = { scope: { job: made.body.job }, kinds: ['endpoint'], mostOpenings: 3 } as const;
  assert.throws(() => ruleOf(organisation, hospital, { ...counted, kinds: [...counted.kinds] }), { code: 'malformed' });
});

test('a dataset opens for its owner, and for others by a word; who adds a version does not lower its label', async () => {
  await hospital.client.openArtifact('patients');
  await assert.rejects(organisation.client.openArtifact('patients'), closed);
  const lower = { name: 'patients', sensitivity: 'public', lowerLabel: true } as const;
  await assert.rejects(addDataset(rig, organisation, lower), { code: 'not-authorised' });
  await runs([], 'open');
  await organisation.client.openArtifact('open');
  await assert.rejects(asked('open'), { code: 'conflict' });
});

test('who reviews is shown keys only when the data is the reviewer’s own, or released by the others', async () => {
  await runs(['patients', 'claims'], 'reviewed');
  const request = await asked('reviewed', { recipients: { org: organisation.org } });
  const look = (by: TestDevice) => by.client.release.review(request.request, { preview: true });
  const first = await look(hospital);
  assert.equal(first.preview, undefined);
  assert.deepEqual(
    first.inputs.map(({ name }) => name),
    ['patients', 'claims'],
  );
  assert.equal((await look(engineer)).preview, undefined);
  await approves(insurer, request);
  assert.equal((await look(hospital)).preview?.length, 1);
  assert.equal((await look(engineer)).preview, undefined);
});

test('of 64 decisions of one owner at once one counts, and of 64 openings as many as a rule allows, by two replicas of the store', async () => {
  const rounds = process.env['RINGFENCE_TEST_FULL'] === '1' ? 200 : 2;
  const { context } = rig.custodian;
  const claimed = context.owner.claimed ?? assert.fail();
  const second = await openStore({ stateDir: rig.state, url: databaseUrl, clock, log: silentLog });
  const replicas = [context, { ...context, store: second.store }] as const;
  const count = (words: readonly string[], word: string) => words.filter((each) => each === word).length;
  try {
    await runs(['patients'], 'raced');
    for (let round = 0; round < rounds; round += 1) {
      const asking = await asked('raced');
      const { request } = asking;
      const decided = await atOnce(replicas, (replica, index) => {
        const decision = index % 4 < 2 ? 'released' : 'refused';
        const edit = { decision, notAfter: epochMs(clock.now() + 60_000 + index) } as const;
        const envelope = decisionOn(organisation, hospital, asking, edit);
        return decideRelease(replica, claimed, { request, envelope, device: hospital.device, decision });
      });
      assert.deepEqual([count(decided, 'done'), count(decided, 'conflict')], [1, 63]);
      const { words } = (await engineer.client.release.review(request, { preview: false })).request;
      assert.equal(words.length, 1);
      await hospital.client.release.end(endOf(organisation, hospital, words[0]?.word ?? assert.fail()));
      const limited = await rule(hospital, 'patients', ['artifact'], { mostOpenings: 1 });
      const wanted = { name: 'raced', version: undefined, device: engineer.device };
      const opened = await atOnce(replicas, (replica) => openArtifact(replica, claimed, wanted));
      assert.deepEqual([count(opened, 'done'), count(opened, 'not-released')], [1, 63]);
      await hospital.client.release.end(endOf(organisation, hospital, limited));
    }
  } finally {
    await second.close();
  }
});

test('each decision leaves a receipt that the custodian signed, and its digest in the ledger', async () => {
  const { context } = rig.custodian;
  const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
  const rows = await context.store.withOrg(organisation.org, async (tx) => ({
    openings: await tx.selectFrom('opening').selectAll().execute(),
    events: await tx.selectFrom('event').select('body').where('type', 'like', 'opening-decided').execute(),
  }));
  const events = rows.events.map(({ body }) => Buffer.from(body).toString('utf8')).join('\n');
  assert.ok(rows.openings.some(({ decision }) => decision === 'opened'));
  assert.ok(rows.openings.some(({ decision }) => decision === 'kept-closed'));
  for (const { receipt, document, decision } of rows.openings) {
    const keys = keyring.delegatedKeys('commit', clock.now(), context.keys.id);
    const { body, digest } = verifyStatement(readStatement('release-receipt', document), keys);
    assert.deepEqual([digest, body.decision], [receipt, decision]);
    assert.ok(events.includes(receipt));
    assert.equal(
      decision === 'opened' && body.words.length === 0 && body.kind !== 'review',
      false,
      'an opening without a word',
    );
  }
});

test('a rule that has expired opens nothing; nor does the word of a device that has left, whose part others take', async () => {
  await runs(['patients'], 'late');
  await rule(hospital, 'patients', ['artifact']);
  await engineer.client.openArtifact('late');
  ahead = 2 * DAY_MS;
  await assert.rejects(engineer.client.openArtifact('late'), closed);
  ahead = 0;
  await engineer.client.openArtifact('late');
  await changeKeyring(organisation, { kind: 'remove', subject: hospital.device, reason: 'left' });
  await assert.rejects(engineer.client.openArtifact('late'), closed);
  const request = await asked('late');
  assert.deepEqual(request.sources[0]?.owners, [insurer.device], 'whoever has the role data-owner');
  await approves(insurer, request);
  await engineer.client.openArtifact('late');
});
