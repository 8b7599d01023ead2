import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, systemRng as rng, type ArtifactId } from '@ringfence/base';
import { readStatement, signStatement } from '@ringfence/keyring';
import { epsilonOf } from '@ringfence/dp/accountant';
import type { Decimal } from '@ringfence/protocol/federation';
import { runAsSuperuser } from '@ringfence/store/test-database';
import {
  addDataset,
  ask,
  commitBody,
  depositTestJob,
  grantBody,
  joinRig,
  openGrant,
  randomDigest,
  stoppedBy,
  type TestAgent,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import {
  accountOf,
  budgeted,
  debitRig,
  DELTA,
  refusals,
  setRecordBudget,
  settleRig,
  signWord,
  STEP,
  TEST_ATTEMPT,
  TEST_CONTRACT,
} from '../fixtures/privacy.fixture.ts';
import { addDevice, changeKeyring } from '../fixtures/release.fixture.ts';
import type { RoundDebit } from './debit-round.ts';
import { inPrivacyLedger } from './in-privacy-ledger.ts';

const RECORD = { kind: 'record' } as const;
const dec = (text: string) => text as Decimal;
let rig: CustodianRig;
let database: string;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let agent: TestAgent;

before(async () => {
  const prepare = (_: string, url: string): Promise<void> => {
    database = url;
    return Promise.resolve();
  };
  [rig, controlPlane] = await Promise.all([startRig({ prepare }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  agent = await joinRig(rig, organisation);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

const claimed = () => rig.custodian.context.owner.claimed ?? assert.fail();
const privacy = () => organisation.client.privacy;

/** How many of these steps a budget has room for, by the accountant alone. */
function room(epsilon: number): number {
  let steps = 0;
  while (epsilonOf([{ ...STEP, steps: steps + 1 }], DELTA).least <= epsilon) steps += 1;
  return steps;
}

const debit = (dataset: ArtifactId, round: number, edit: Partial<RoundDebit> = {}) =>
  debitRig(rig, dataset, round, edit);
const account = (name: string) => accountOf(organisation, name);

function dataset(name: string, epsilon?: string, text?: string): Promise<ArtifactId> {
  return budgeted(rig, organisation, {
    name,
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(text === undefined ? {} : { text }),
  });
}

test('of 64 rounds at once, exactly those that the budget has room for get leave', async () => {
  const artifact = await dataset('parallel', '0.8');
  const most = room(0.8);
  assert.ok(most > 4 && most < 50, String(most));
  const decisions = await Promise.all(Array.from({ length: 64 }, (_, round) => debit(artifact, round + 1)));
  assert.equal(decisions.filter(({ allow }) => allow).length, most);
  const { spent, contracts: told } = await account('parallel');
  assert.equal(spent?.epsilon, epsilonOf([{ ...STEP, steps: most }], DELTA).least);
  assert.equal(spent?.enforced, spent?.epsilon);
  assert.ok((spent?.left ?? 1) < 0.8);
  assert.deepEqual(
    told.map(({ contract, rounds }) => [contract, rounds]),
    [[TEST_CONTRACT, most]],
  );
});

test('a round is debited once: the same attempt is answered the same, another one not at all', async () => {
  const artifact = await dataset('once', '1');
  const asked = await Promise.all(Array.from({ length: 8 }, () => debit(artifact, 1)));
  assert.deepEqual(
    asked.map(({ allow }) => allow),
    Array(8).fill(true),
  );
  assert.equal(asked.filter((decision) => decision.allow && !decision.again).length, 1);
  assert.deepEqual(await refusals(debit(artifact, 1, { attempt: 2 })), ['round-taken']);
  assert.deepEqual(await refusals(debit(artifact, 1, { job: newId('job', rng) })), ['round-taken']);
  assert.deepEqual(await refusals(debit(artifact, 1, { events: [{ ...STEP, sigma: 40 }] })), ['round-taken']);
  assert.equal((await account('once')).contracts[0]?.rounds, 1);
  assert.deepEqual(await debit(artifact, 1), { allow: true, again: true });
});

test('a debit names why it is refused', async () => {
  const artifact = await dataset('refusing', '0.3');
  const person = { kind: 'person', column: 'patient', mostRows: 3 } as const;
  const none = await dataset('without');
  const signed = { epsilon: 0.1, delta: DELTA, signedAt: 1 };
  assert.deepEqual(await refusals(debit(none, 1)), ['no-budget']);
  assert.deepEqual(await refusals(debit(artifact, 1, { events: [{ ...STEP, sigma: 1 }] })), ['budget']);
  assert.deepEqual(await refusals(debit(artifact, 1, { most: signed })), ['contract-budget']);
  assert.deepEqual(await refusals(debit(artifact, 1, { unit: person })), [], 'who hides persons hides records');
  const persons = await dataset('persons');
  await privacy().setBudget({ name: 'persons', unit: person, epsilon: dec('1'), delta: dec('0.00001') });
  assert.deepEqual(await refusals(debit(persons, 1)), ['unit-mismatch']);
  assert.deepEqual(await refusals(debit(persons, 1, { unit: { ...person, column: 'ward' } })), ['unit-mismatch']);
});

test('what is made of data, or shares pieces with it, is debited with it', async () => {
  const source = await dataset('source', '0.5', 'the same bytes');
  const copy = await dataset('copy', undefined, 'the same bytes');
  const half = await dataset('unlike', undefined, 'other bytes');
  assert.deepEqual((await account('source')).family, ['copy']);
  const most = room(0.5);
  for (let round = 1; round <= most; round += 1)
    assert.deepEqual(await refusals(debit(round % 2 === 0 ? source : copy, round)), []);
  assert.deepEqual(await refusals(debit(source, 900)), ['budget']);
  assert.deepEqual(await refusals(debit(copy, 900)), ['budget']);
  assert.deepEqual(await refusals(debit(half, 900)), ['no-budget'], 'other data is not');
  const made = await depositTestJob(rig, organisation, { mounts: ['source'], outputs: ['cleaned'] });
  const granted = await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }));
  assert.ok(granted.result === 'granted');
  const { outputs } = await openGrant(organisation, agent, made, { attempt: 1, payload: granted.payload });
  const committed = await agent.client.commit(await commitBody(organisation, agent, made, { attempt: 1, outputs }));
  assert.equal(committed.result, 'committed');
  const [output] = outputs;
  assert.deepEqual(
    await refusals(debit(output?.artifact ?? assert.fail(), 1)),
    ['budget'],
    'as the data it is made of',
  );
  const { family, uncounted } = await account('source');
  assert.deepEqual(family, ['cleaned', 'copy']);
  assert.deepEqual(
    uncounted.map(({ job, times }) => [job, times]),
    [[made.body.job, 1]],
  );
});

test('a start on data with a budget is written down as not counted, and so are those before the budget', async () => {
  await dataset('used');
  const early = await depositTestJob(rig, organisation, { mounts: ['used'] });
  assert.equal((await ask(agent, grantBody(controlPlane, agent, early, { attempt: 1 }))).result, 'granted');
  await agent.client.stopped(stoppedBy(agent, early, 1));
  assert.deepEqual((await account('used')).uncounted, []);
  const [set] = await privacy().setBudget({ name: 'used', unit: RECORD, epsilon: dec('1'), delta: dec('0.00001') });
  assert.deepEqual(
    set?.uncounted.map(({ job, times }) => [job, times]),
    [[early.body.job, 1]],
  );
  assert.equal((await ask(agent, grantBody(controlPlane, agent, early, { attempt: 2 }))).result, 'granted');
  await inPrivacyLedger(rig.custodian.context, claimed(), async (_, ledger) => {
    for (const round of [1, 2, 2])
      await ledger.recordRound({
        dataset: set?.artifact ?? assert.fail(),
        contract: TEST_CONTRACT,
        round,
        ...TEST_ATTEMPT,
      });
  });
  const { uncounted, spent } = await account('used');
  assert.deepEqual(
    uncounted.map(({ job, contract, times }) => [job, contract, times]),
    [
      [null, TEST_CONTRACT, 2],
      [early.body.job, null, 2],
    ],
  );
  assert.equal(spent?.epsilon, 0);
});

test('a dataset for federations alone is mounted by no other job, under no other name', async () => {
  const artifact = await dataset('closed', undefined, 'closed bytes');
  const waiting = await depositTestJob(rig, organisation, { mounts: ['closed'] });
  await privacy().setContractOnly({ name: 'closed', on: true });
  const answer = await ask(agent, grantBody(controlPlane, agent, waiting, { attempt: 1 }));
  assert.deepEqual(answer, { result: 'refused', reason: 'contract-only' });
  const denied = { code: 'not-authorised' };
  await assert.rejects(depositTestJob(rig, organisation, { mounts: ['closed'] }), denied);
  await addDataset(rig, organisation, { name: 'renamed', text: 'closed bytes' });
  await assert.rejects(depositTestJob(rig, organisation, { mounts: ['renamed'] }), denied);
  const other = await addDevice(rig, organisation);
  await assert.rejects(other.client.privacy.setContractOnly({ name: 'closed', on: false }), denied);
  await other.client.privacy.setContractOnly({ name: 'closed', on: true });
  await privacy().setContractOnly({ name: 'closed', on: false });
  assert.equal((await account('closed')).contractOnly, false);
  await depositTestJob(rig, organisation, { mounts: ['renamed'] });
  assert.equal((await account('closed')).artifact, artifact);
});

test('a budget is its owner’s to set, and only becomes smaller', async () => {
  await dataset('owned', '2');
  const other = await addDevice(rig, organisation);
  const wish = { name: 'owned', unit: RECORD, epsilon: dec('1'), delta: dec('0.00001') };
  await assert.rejects(other.client.privacy.setBudget(wish), { code: 'not-authorised' });
  await privacy().setBudget(wish);
  await assert.rejects(privacy().setBudget({ ...wish, epsilon: dec('1.5') }), { code: 'conflict' });
  await assert.rejects(privacy().setBudget({ ...wish, delta: dec('0.0001') }), { code: 'conflict' });
  assert.equal((await account('owned')).budget?.epsilon, '1');
  await assert.rejects(privacy().setBudget({ ...wish, name: 'nothing' }), { code: 'not-found' });
});

test('a database that was put back behind the leave that it gave is found out', async () => {
  const artifact = await dataset('put-back', '0.5');
  assert.deepEqual(await refusals(debit(artifact, 1)), []);
  const { privacyMark } = rig.custodian.context;
  const { newest } = privacyMark;
  assert.ok(newest !== undefined);
  privacyMark.keep({ ...newest, hash: randomDigest() }, 'anew');
  const before = await account('put-back');
  assert.deepEqual([before.doubt?.cause, before.spent?.epsilon], ['rolled-back', null]);
  assert.deepEqual(await refusals(debit(artifact, 2)), ['unsettled']);
  assert.deepEqual(await refusals(debit(artifact, 2)), ['unsettled'], 'until its owner settles it');
  const small = { epsilon: dec('0.1'), delta: dec('0.00001') };
  await assert.rejects(settleRig(organisation, 'put-back', small), { code: 'conflict' });
  const { spent, doubt } = await settleRig(organisation, 'put-back');
  assert.deepEqual([spent?.epsilon, spent?.left, doubt], [0.5, 0, null], 'all of it is spent');
  assert.deepEqual(await refusals(debit(artifact, 3)), ['budget']);
  const fresh = await dataset('fresh', '0.5');
  assert.deepEqual(await refusals(debit(fresh, 1)), [], 'data that came later is in no doubt');
});

test('what was made of data, and shares pieces with it, before the ledger was kept is found with the first budget', async () => {
  const early = await dataset('early', undefined, 'early bytes');
  await dataset('twin', undefined, 'early bytes');
  const made = await depositTestJob(rig, organisation, { mounts: ['early'], outputs: ['early-made'] });
  assert.equal((await ask(agent, grantBody(controlPlane, agent, made, { attempt: 1 }))).result, 'granted');
  // As an archive of a release before it leaves them.
  await runAsSuperuser(database, 'truncate rf_cu.privacy_lineage, rf_cu.dataset_object, rf_cu.indexed_version');
  await setRecordBudget(organisation, 'early', '1');
  assert.deepEqual((await account('early')).family, ['early-made', 'twin']);
  assert.equal((await account('early')).artifact, early);
});

test('a larger budget takes the word of its owner and of two officers, for the budget that it names', async () => {
  const artifact = await dataset('growing', '0.2');
  const word = (edit: Parameters<typeof signWord>[2] = {}) =>
    signWord(organisation, 'growing', { epsilon: dec('0.4'), ...edit });
  const [raise, stale] = [
    await word(),
    await word({ before: { unit: RECORD, epsilon: dec('0.3'), delta: dec('0.00001') } }),
  ];
  await assert.rejects(privacy().raiseBudget(stale), { code: 'conflict' });
  const other = await addDevice(rig, organisation, 'owner');
  const theirs = signStatement('privacy-budget', readStatement('privacy-budget', raise).claimed, [other.sign]);
  await assert.rejects(privacy().raiseBudget(theirs), { code: 'bad-statement' }, 'no officer, and not who it names');
  await assert.rejects(privacy().raiseBudget(await word({ org: newId('org', rng) })), { code: 'bad-statement' });
  await privacy().raiseBudget(raise);
  assert.equal((await account('growing')).budget?.epsilon, '0.4');
  await setRecordBudget(organisation, 'growing', '0.2');
  await assert.rejects(privacy().raiseBudget(raise), { code: 'conflict' }, 'a word counts once');
  await changeKeyring(organisation, { kind: 'add-officer', device: other.device });
  const alone = await word();
  await assert.rejects(privacy().raiseBudget(alone), { code: 'bad-statement' }, 'there are two officers now');
  const { claimed: body } = readStatement('privacy-budget', alone);
  await privacy().raiseBudget(signStatement('privacy-budget', body, [organisation.sign, other.sign]));
  for (let round = 1; round <= room(0.4); round += 1) assert.deepEqual(await refusals(debit(artifact, round)), []);
  assert.deepEqual(await refusals(debit(artifact, 900)), ['budget']);
});
