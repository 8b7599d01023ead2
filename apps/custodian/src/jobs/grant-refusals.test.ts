import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { epochMs, newId, systemRng as rng, type Clock, type MonotonicMs } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import type { Fault } from '../fault-points.ts';
import { signEnvelope, SigningKey, statementDigest } from '@ringfence/crypto/sign';
import { nextStatement, readStatement, signStatement } from '@ringfence/keyring';
import { GRANT_REFUSALS, type GrantRefusal } from '@ringfence/protocol/payload';
import {
  addDataset,
  ask,
  commitBody,
  depositTestJob,
  grantBody,
  joinRig,
  makeTestJob,
  openGrant,
  randomDigest,
  stoppedBy,
  type TestAgent,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import type { ProfileRequirements } from '@ringfence/protocol/statements';
import { signPolicy, signProfile } from '../fixtures/rules.fixture.ts';
import { closeJob } from './close-job.ts';
import { TlsKey } from '@ringfence/crypto/certificate';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;
let other: TestAgent;
const seen = new Set<GrantRefusal>();
/** A wall clock that tests set, and a monotonic one that they push ahead; timers run on. */
const ahead = { by: 0, passed: 0 };
const shifted: Clock = {
  ...clock,
  now: () => epochMs(clock.now() + ahead.by),
  monotonic: () => (clock.monotonic() + ahead.passed) as MonotonicMs,
};
const noFault: Fault = () => {};

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock: shifted, fault: noFault }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation, 'node-1');
  other = await joinRig(rig, organisation, 'node-2');
  await addDataset(rig, organisation, { name: 'admissions' });
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

type Body = ReturnType<typeof grantBody>;

async function refusal(body: Body, by = agent): Promise<GrantRefusal | undefined> {
  const answer = await ask(by, body);
  if (answer.result !== 'refused') return undefined;
  seen.add(answer.reason);
  return answer.reason;
}

const flipped = (envelope: Body['lease']): Body['lease'] => {
  const text = Buffer.from(envelope.payload, 'base64').toString().replace('"attempt":1', '"attempt":2');
  return { ...envelope, payload: Buffer.from(text).toString('base64') };
};

test('statements that are forged, edited, replayed or for somebody else get nothing', async () => {
  const made = await depositTestJob(rig, organisation, { mounts: ['admissions'] });
  const twin = await depositTestJob(rig, organisation, { mounts: ['admissions'] });
  const good = (): Body => grantBody(controlPlane, agent, made, { attempt: 1 });
  const stranger = SigningKey.generate(rng);
  const elsewhere = await startControlPlaneDouble();
  const theirs = grantBody(elsewhere, agent, made, { attempt: 1 });
  await elsewhere.close();
  const cases: readonly (readonly [string, GrantRefusal, Body])[] = [
    ['forged lease', 'bad-statements', grantBody(controlPlane, agent, made, { attempt: 1, key: stranger })],
    ['another control plane’s root', 'bad-statements', theirs],
    ['its lease with our keys', 'bad-statements', { ...theirs, controlPlaneKeys: controlPlane.keys }],
    ['edited lease', 'bad-statements', { ...good(), lease: flipped(good().lease) }],
    ['lease for another agent', 'bad-statements', { ...grantBody(controlPlane, other, made, { attempt: 1 }) }],
    [
      'lease of another job',
      'bad-statements',
      { ...good(), lease: grantBody(controlPlane, agent, twin, { attempt: 1 }).lease },
    ],
    [
      'receipt of another attempt',
      'bad-statements',
      grantBody(controlPlane, agent, made, { attempt: 1, editReceipt: { attempt: 2 } }),
    ],
    [
      'lease that ran out',
      'bad-statements',
      grantBody(controlPlane, agent, made, { attempt: 1, edit: { notAfter: epochMs(clock.now() - 1) } }),
    ],
    ['more attempts than the owner allowed', 'bad-statements', grantBody(controlPlane, agent, made, { attempt: 6 })],
    [
      'edited constraints',
      'placement',
      { ...good(), placement: { ...made.placement, tiers: ['private', 'community-cloud'] } },
    ],
    [
      'weaker isolation than placed',
      'placement',
      grantBody(controlPlane, agent, made, {
        attempt: 1,
        editReceipt: { chosen: { offer: newId('offer', rng), agent: agent.id, tier: 'private', isolation: 'process' } },
      }),
    ],
    ['another job’s label', 'bad-statements', { ...good(), label: twin.label }],
    [
      'a job that was never deposited',
      'unknown-job',
      grantBody(controlPlane, agent, await makeTestJob(rig, organisation, {}), { attempt: 1 }),
    ],
    [
      'no job statement at all',
      'bad-statements',
      { ...good(), job: signEnvelope('application/vnd.ringfence.job.v1+json', { v: 1 }, [stranger]) },
    ],
  ];
  for (const [name, reason, body] of cases) assert.equal(await refusal(body), reason, name);
  assert.equal(await refusal(good()), undefined, 'and the honest request is granted');
  assert.equal(await refusal(good()), 'attempt-not-new', 'another lease of the same attempt is no repetition');
});

test('an earlier attempt that may still run, or was granted before, blocks', async () => {
  const made = await depositTestJob(rig, organisation, { mounts: ['admissions'] });
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 2 })), undefined);
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 3 }), other), 'attempt-may-run');
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), 'attempt-not-new', 'going back');
  const told = async () => (await organisation.client.job(made.body.job)).refusedGrant?.reason;
  assert.equal(await told(), 'attempt-not-new');
  await agent.client.stopped(stoppedBy(agent, made, 2));
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 3 }), other), undefined);
  assert.equal(await told(), undefined, 'a grant since then');
  // The wall clock alone ends nothing.
  ahead.by = 100_000;
  const early = grantBody(controlPlane, agent, made, { attempt: 4 });
  assert.equal(await refusal(early), 'attempt-may-run', 'its clock was set ahead');
  ahead.by = -100_000;
  ahead.passed += 46_000;
  const late = grantBody(controlPlane, agent, made, { attempt: 5 });
  assert.equal(await refusal(late), undefined, 'lease end and grace have passed, though its clock was set back');
  ahead.by = 0;
});

test('an attempt that was told to be over before its grant is not granted afterwards, and blocks nobody', async () => {
  const made = await depositTestJob(rig, organisation, { onPartition: 'keep' });
  const late = grantBody(controlPlane, agent, made, { attempt: 1 });
  await agent.client.stopped(stoppedBy(agent, made, 1));
  assert.equal(await refusal(late), 'attempt-not-new');
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 2 }), other), undefined);
  // Whichever comes first: no grant is left without its end.
  for (let turn = 0; turn < 12; turn += 1) {
    const raced = await depositTestJob(rig, organisation, { onPartition: 'keep' });
    await Promise.all([
      refusal(grantBody(controlPlane, agent, raced, { attempt: 1 })),
      agent.client.stopped(stoppedBy(agent, raced, 1)),
    ]);
    assert.equal(await refusal(grantBody(controlPlane, other, raced, { attempt: 2 }), other), undefined);
  }
});

test('an attempt that keeps running through a partition is replaced by its own word only', async () => {
  const made = await depositTestJob(rig, organisation, { onPartition: 'keep' });
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), undefined);
  ahead.passed += 200_000;
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 2 }), other), 'attempt-may-run');
  await agent.client.stopped(stoppedBy(agent, made, 1));
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 2 }), other), undefined);
});

test('a committed job never starts again', async () => {
  const made = await depositTestJob(rig, organisation, { outputs: ['model'] });
  const answer = await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }));
  assert.ok(answer.result === 'granted');
  const { outputs } = await openGrant(organisation, agent, made, { attempt: 1, payload: answer.payload });
  await agent.client.commit(await commitBody(organisation, agent, made, { attempt: 1, outputs }));
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 2 }), other), 'committed');
});

test('a job that was closed starts no more, repeats no grant and commits nothing', async () => {
  const made = await depositTestJob(rig, organisation, {});
  const body = grantBody(controlPlane, agent, made, { attempt: 1 });
  assert.equal(await refusal(body), undefined);
  const { claimed } = rig.custodian.context.owner;
  assert.ok(claimed !== undefined);
  await closeJob(rig.custodian.context, claimed, made.body.job, 'cancelled');
  assert.equal(await refusal(body), 'closed', 'the same lease again');
  const commit = { job: made.body.job, attempt: 1, outputs: [] };
  assert.deepEqual(await agent.client.commit(commit), { result: 'refused', reason: 'not-current' });
  await agent.client.stopped(stoppedBy(agent, made, 1));
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 2 }), other), 'closed', 'a new lease');
});

test('another attempt follows only an end that the owner wants it to follow', async () => {
  const after = async (retryOn: ('interruption' | 'error')[], outcome: 'failed' | 'stopped' | undefined) => {
    const made = await depositTestJob(rig, organisation, { retryOn });
    assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), undefined);
    if (outcome === undefined) ahead.passed += 46_000;
    else await agent.client.stopped(stoppedBy(agent, made, 1, outcome));
    return refusal(grantBody(controlPlane, other, made, { attempt: 2 }), other);
  };
  assert.equal(await after(['interruption'], 'failed'), 'closed');
  assert.equal(await after(['error'], 'failed'), undefined);
  assert.equal(await after(['error', 'interruption'], 'stopped'), 'closed');
  assert.equal(await after(['error'], undefined), 'closed', 'no word counts as an interruption');
  assert.equal(await after(['interruption'], undefined), undefined);
});

test('data that became stricter after the label was signed stops the start', async () => {
  await addDataset(rig, organisation, { name: 'tightened' });
  const made = await depositTestJob(rig, organisation, { mounts: ['tightened'] });
  await addDataset(rig, organisation, { name: 'tightened', text: 'c\n', sensitivity: 'restricted' });
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), 'label-changed');
});

test('data that is for federations alone since the deposit stops the start', async () => {
  await addDataset(rig, organisation, { name: 'closed', text: 'these alone\n' });
  const made = await depositTestJob(rig, organisation, { mounts: ['closed'] });
  await organisation.client.privacy.setContractOnly({ name: 'closed', on: true });
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), 'contract-only');
});

test('data that is gone stops the start', async () => {
  const { artifact } = await addDataset(rig, organisation, { name: 'vanishing' });
  const made = await depositTestJob(rig, organisation, { mounts: ['vanishing'] });
  await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.updateTable('artifact').set({ name_index: 'nobody' }).where('artifact', '=', artifact).execute(),
  );
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), 'dataset-gone');
});

test('a secret that is not there stops the start, and its name is told to members alone', async () => {
  const made = await depositTestJob(rig, organisation, { work: { secrets: ['ABSENT'] } });
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), 'secret-missing');
  const { missingSecrets, refusedGrant } = await organisation.client.job(made.body.job);
  assert.deepEqual(missingSecrets, ['ABSENT']);
  assert.deepEqual([refusedGrant?.agent, refusedGrant?.reason, refusedGrant?.checks], [agent.id, 'secret-missing', []]);
});

test('a job past its end starts no more', async () => {
  const made = await depositTestJob(rig, organisation, { edit: { expires: epochMs(shifted.now() + 2_000) } });
  ahead.by = 3_000;
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), 'job-expired');
  ahead.by = 0;
});

test('a device that was removed starts nothing, and gets no link', async () => {
  const second = { device: newId('device', rng), sign: SigningKey.generate(rng), tls: TlsKey.generate(rng) };
  const append = async (change: Parameters<typeof nextStatement>[1]): Promise<void> => {
    const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
    const statement = signStatement('keyring', nextStatement(keyring, change, clock.now()), [organisation.root]);
    await organisation.client.appendStatement(statement);
  };
  const { device } = second;
  await append({ kind: 'add-device', device, sign: second.sign.publicKey, tls: second.tls.publicKey });
  await append({ kind: 'bind-role', device, role: 'owner' });
  const member = { ...organisation, ...second, client: await rig.client(second.tls) };
  const made = await depositTestJob(rig, member, {});
  await append({ kind: 'remove', subject: device, reason: 'lost' });
  assert.equal(await refusal(grantBody(controlPlane, agent, made, { attempt: 1 })), 'device-removed');
  await assert.rejects(member.client.status(), 'its open link was cut and it gets no new one');
});

test('after a restore, what was granted in the epoch before is worth nothing', async () => {
  const made = await depositTestJob(rig, organisation, {});
  const body = grantBody(controlPlane, agent, made, { attempt: 1 });
  assert.equal((await ask(agent, body)).result, 'granted');
  const { org } = organisation;
  await rig.custodian.context.store.withOrg(org, (tx) => tx.updateTable('organisation').set({ epoch: 2 }).execute());
  await rig.restart();
  for (const member of [agent, other]) Object.assign(member, { client: await rig.client(member.tls) });
  Object.assign(organisation, { client: await rig.client(organisation.tls) });
  assert.equal(await refusal(body), 'epoch', 'the old grant is not given out again');
  const commit = { job: made.body.job, attempt: 1, outputs: [] };
  assert.deepEqual(await agent.client.commit(commit), { result: 'refused', reason: 'not-current' });
});

test('a copied agent is found by its journal, and both copies are locked', async () => {
  const made = await depositTestJob(rig, organisation, {});
  const honest = grantBody(controlPlane, agent, made, { attempt: 1 });
  const ahead = { seq: agent.journal.length + 1_000, hash: randomDigest() };
  const asked = await agent.client.grant({ ...honest, journal: ahead, resume: { seq: 1, hash: randomDigest() } });
  assert.ok(asked.result === 'resume', 'a lost answer locks nobody');
  const copy = { ...honest, journal: ahead, resume: { seq: asked.seq, hash: randomDigest() } };
  assert.deepEqual(await agent.client.grant(copy), { result: 'refused', reason: 'fork' });
  seen.add('fork');
  // Its row says so at once, and soon after the lock cuts its link.
  const locked = await ask(agent, honest).catch(() => 'cut' as const);
  assert.ok(locked === 'cut' || (locked.result === 'refused' && locked.reason === 'locked'));
  seen.add('locked');
  const { rows } = await rig.custodian.context.store.withOrg(organisation.org, async (tx) => ({
    rows: await tx.selectFrom('event').select('type').where('type', '=', 'agent-locked').execute(),
  }));
  assert.equal(rows.length, 1);
});

test('data in place is granted at its site alone, whatever the placer chose', async () => {
  const client = await joinRig(rig, organisation, 'node-far', 'far');
  const placed = { name: 'placed', sensitivity: 'restricted', residency: [], purposes: [] } as const;
  const at = { path: '/srv/data', manifest: randomDigest(), files: 1, bytes: 2, agent: client.id };
  const row = await organisation.client.addPlacedDataset({ ...placed, residency: [], purposes: [], ...at });
  assert.deepEqual([row.place?.siteName, row.place?.path], ['far', '/srv/data']);
  const label = { job: newId('job', rng), mounts: ['placed'], validMs: 60_000 };
  assert.deepEqual((await organisation.client.labelAndSites(label)).sites, [row.place?.site]);
  const made = await depositTestJob(rig, organisation, { mounts: ['placed'] });
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 1 }), other), 'wrong-site');
  const answer = await ask(client, grantBody(controlPlane, client, made, { attempt: 1 }));
  assert.ok(answer.result === 'granted');
  const { payload } = answer;
  const { mounts } = await openGrant(organisation, client, made, { attempt: 1, payload });
  const place = { path: '/srv/data', manifest: at.manifest };
  assert.deepEqual(mounts, [{ path: '/data0', artifact: row.artifact, version: 1, place }]);
});

test('a job that is looser than the newest version of its profile starts no more', async () => {
  const set = (seq: number, requirements: ProfileRequirements) =>
    organisation.client.rules.setProfile(signProfile(organisation, { seq, name: 'ward', requirements }));
  await set(1, { isolation: 'sandbox' });
  const made = await depositTestJob(rig, organisation, { profile: 'ward', placement: { isolation: 'sandbox' } });
  await set(2, { isolation: 'container' });
  assert.equal(await refusal(grantBody(controlPlane, other, made, { attempt: 1 }), other), 'profile');
  const { refusedGrant } = await organisation.client.job(made.body.job);
  assert.deepEqual([refusedGrant?.reason, refusedGrant?.checks], ['profile', ['isolation']]);
  await set(3, { isolation: 'process' });
  const answer = await ask(other, grantBody(controlPlane, other, made, { attempt: 1 }));
  assert.ok(answer.result === 'granted', 'what its owner launched it with still counts');
  const { profile } = await openGrant(organisation, other, made, { attempt: 1, payload: answer.payload });
  assert.equal(statementDigest(profile ?? assert.fail()), readStatement('label', made.label).claimed.profile);
});

test('what the organisation’s policy forbids on this machine starts no more, and a grant names the policy', async () => {
  const set = (seq: number, condition: string) => {
    const cedar = `@id("not-here") forbid (principal, action, resource) when { ${condition} };`;
    return organisation.client.rules.setPolicy(signPolicy(organisation, { seq, cedar }));
  };
  await set(1, 'context has place && context.place.tier == "private" && resource.datasets.contains("admissions")');
  const made = await depositTestJob(rig, organisation, { mounts: ['admissions'] });
  const body = grantBody(controlPlane, other, made, { attempt: 1 });
  assert.equal(await refusal(body, other), 'policy');
  const { refusedGrant } = await organisation.client.job(made.body.job);
  assert.deepEqual([refusedGrant?.reason, refusedGrant?.checks], ['policy', ['not-here']]);
  await set(2, 'context has place && !context.place.jurisdictions.contains("DE")');
  const answer = await ask(other, body);
  assert.ok(answer.result === 'granted');
  const kept = await organisation.client.rules.policy();
  assert.equal(readStatement('grant', answer.grant).claimed.policy, statementDigest(kept ?? assert.fail()));
  await set(3, 'resource.name == "nothing-at-all"');
});

test('every code was seen', () => {
  assert.deepEqual(
    // Federations have a test of their own.
    GRANT_REFUSALS.filter((code) => code !== 'federation' && !seen.has(code)),
    [],
  );
});

test('a label becomes looser by a new version only when its owner says so', async () => {
  const name = 'loosened';
  await addDataset(rig, organisation, { name, sensitivity: 'restricted', residency: ['DE'], purposes: ['care'] });
  const looser = [
    { sensitivity: 'internal', residency: ['DE'], purposes: ['care'] },
    { sensitivity: 'restricted', residency: [], purposes: ['care'] },
    { sensitivity: 'restricted', residency: ['DE'], purposes: [] },
  ] as const;
  for (const label of looser) {
    const asked = { name, ...label, residency: [...label.residency], purposes: [...label.purposes] };
    await assert.rejects(addDataset(rig, organisation, asked), { code: 'label-lowered' });
  }
  const same = await addDataset(rig, organisation, {
    name,
    sensitivity: 'restricted',
    residency: ['DE'],
    purposes: ['care'],
  });
  assert.equal(same.version, 2, 'what was refused left no version');
  const lowered = await addDataset(rig, organisation, { name, sensitivity: 'internal', lowerLabel: true });
  assert.deepEqual([lowered.version, lowered.sensitivity], [3, 'internal']);
});
