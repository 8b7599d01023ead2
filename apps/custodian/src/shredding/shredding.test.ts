import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { NamedAttempt, PlacementPart } from '@ringfence/protocol/statements';
import { BACKUP_TABLES, readLines } from '../backup/row-lines.ts';
import {
  addDataset,
  ask,
  commitBody,
  depositOf,
  depositTestJob,
  grantBody,
  joinRig,
  makeTestJob,
  openGrant,
  stoppedBy,
  type TestAgent,
  type TestJob,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { joinAway, makeProvider, type TestProvider } from '../fixtures/provider.fixture.ts';
import { closeJob } from '../jobs/close-job.ts';
import { openWorkload } from '../jobs/open-workload.ts';

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let provider: TestProvider;
let [away, home]: TestAgent[] = [];
const dying = { at: '' };

before(async () => {
  const fault = (point: string): void => {
    if (point === dying.at) throw new Error('the process died');
  };
  [rig, controlPlane] = await Promise.all([startRig({ fault }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  provider = await makeProvider(organisation);
  await organisation.client.addEvidence(provider.evidence());
  away = await joinAway(rig, organisation, provider);
  home = await joinRig(rig, organisation, 'home');
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

/** What a job says that may leave home. */
const LEAVES: { placement: Partial<PlacementPart> } = {
  placement: {
    tiers: ['private', 'secure-cloud'],
    burst: 'allowed',
    evidence: { require: [], grade: 'documented', maxAgeDays: 365 },
  },
};

function mayLeave(): Promise<TestJob> {
  return depositTestJob(rig, organisation, LEAVES);
}

/** What `by` asks for a grant with; a receipt says where it stands. */
function requestOf(by: TestAgent | undefined, made: TestJob, attempt: number) {
  assert.ok(by !== undefined);
  const { keyring } = rig.custodian.context.owner.claimed ?? assert.fail();
  const chosen = {
    offer: newId('offer', rng),
    agent: by.id,
    tier: keyring.agent(by.id)?.tier ?? assert.fail(),
    isolation: 'gvisor',
  } as const;
  return grantBody(controlPlane, by, made, { attempt, editReceipt: { chosen } });
}

const order = (attempts: NamedAttempt[], deletion?: Envelope, agent = away?.id ?? assert.fail()) => ({
  request: newId('deletion', rng),
  agent,
  attempts,
  ...(deletion === undefined ? {} : { deletion }),
});

const shredding = () => ({
  /** Gives an order, and waits until what it allows is done. */
  async take(asked: ReturnType<typeof order>): Promise<void> {
    const { shredding: parts } = rig.custodian.context;
    await parts.take(asked);
    await parts.settled();
  },
});

interface Shredded {
  readonly request: string;
  readonly attempts: readonly NamedAttempt[];
  readonly deletion: string;
}

async function ledger(request: string): Promise<Shredded[]> {
  const { store } = rig.custodian.context;
  const rows = await store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('event').select('body').where('type', '=', 'keys-shredded').orderBy('seq').execute(),
  );
  const events = rows.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { event: Shredded }).event);
  return events.filter((event) => event.request === request);
}

/** Whether the control plane will be told, by the journal of its link. */
async function answered(request: string): Promise<boolean> {
  const links = join(rig.state, 'links');
  const said = `"body":{"attempts":`;
  return readdirSync(links, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .some((text) => text.split('\n').some((line) => line.includes(request) && line.includes(said)));
}

async function granted(by: TestAgent | undefined, made: TestJob, attempt: number) {
  assert.ok(by !== undefined);
  const body = requestOf(by, made, attempt);
  const answer = await ask(by, body);
  assert.ok(answer.result === 'granted', JSON.stringify(answer));
  return {
    body,
    sealed: answer.payload,
    ...(await openGrant(organisation, by, made, { attempt, payload: answer.payload })),
  };
}

/** The sealed workload of a job. */
async function workloadOf({ body: { job } }: TestJob): Promise<Uint8Array> {
  const { store } = rig.custodian.context;
  const { workload } = await store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('job').select('workload').where('job', '=', job).executeTakeFirstOrThrow(),
  );
  return workload ?? assert.fail('it is destroyed');
}

/** Everything that rows say, so as a backup would carry it. */
async function rows(): Promise<string> {
  const { store } = rig.custodian.context;
  const tables = await store.withOrg(organisation.org, async (tx) => {
    const lines: Uint8Array[] = [];
    for (const table of BACKUP_TABLES) lines.push(await readLines(tx, table));
    return lines;
  });
  return Buffer.concat(tables).toString();
}

test('keys of an attempt are destroyed when it can run no more; the job goes on elsewhere, and its last keys go with its end', async () => {
  assert.ok(away !== undefined && home !== undefined);
  await addDataset(rig, organisation, { name: 'rows' });
  const made = await makeTestJob(rig, organisation, { mounts: ['rows'], outputs: ['moved'], ...LEAVES });
  const deposit = await depositOf(rig, organisation, made);
  await organisation.client.deposit(deposit);
  const { job } = made.body;
  const first = await granted(away, made, 1);
  const asked = order([{ job, attempt: 1 }]);
  await shredding().take(asked);
  assert.deepEqual(await ledger(asked.request), [], 'it may still run');
  assert.equal((await ask(away, first.body)).result, 'granted', 'and its grant may be asked for again');

  await away.client.stopped(stoppedBy(away, made, 1, 'interrupted'));
  await until(async () => (await ledger(asked.request)).length === 1, 'it stopped');
  await until(() => answered(asked.request), 'the control plane is told');
  const [event] = await ledger(asked.request);
  assert.deepEqual([event?.attempts, event?.deletion], [asked.attempts, 'missing']);
  assert.deepEqual(await ask(away, first.body), { result: 'refused', reason: 'attempt-not-new' });
  const between = await rows();
  assert.ok(!between.includes(first.sealed), 'its sealed grant is gone');
  assert.ok(between.includes(deposit.workload), 'the next attempt needs the workload');

  const second = await granted(home, made, 2);
  const outputs = second.outputs;
  assert.equal(
    (await home.client.commit(await commitBody(organisation, home, made, { attempt: 2, outputs }))).result,
    'committed',
  );
  const text = await rows();
  for (const key of [first.sealed, second.sealed, deposit.workload]) assert.ok(!text.includes(key));
  const { store } = rig.custodian.context;
  const row = await store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('job').select('workload').where('job', '=', job).executeTakeFirstOrThrow(),
  );
  await assert.rejects(openWorkload(rig.custodian.context, organisation.org, job, row.workload), { code: 'shredded' });
  // What its owner needs still opens.
  for (const name of ['moved', 'rows']) {
    const { pack } = await organisation.client.openArtifact(name);
    assert.ok((await (await organisation.client.object(pack.manifest)).toArray()).length > 0);
  }
});

test('what a job that never left home has is not touched', async () => {
  const made = await depositTestJob(rig, organisation, { outputs: ['stayed'] });
  const { outputs, sealed } = await granted(home, made, 1);
  await home?.client.commit(await commitBody(organisation, home, made, { attempt: 1, outputs }));
  assert.ok((await rows()).includes(sealed));
});

test('an order about a job that is over destroys all that opens it; one about an attempt that was never granted keeps it from being', async () => {
  const over = await mayLeave();
  const waiting = await mayLeave();
  const { sealed } = await granted(away, over, 1);
  const claimed = rig.custodian.context.owner.claimed ?? assert.fail();
  await closeJob(rig.custodian.context, claimed, over.body.job, 'failed');
  const unknown = { job: newId('job', rng), attempt: 1 };
  const named = [{ job: over.body.job, attempt: 1 }, { job: waiting.body.job, attempt: 1 }, unknown];
  const asked = order(named.toSorted((a, b) => (a.job < b.job ? 1 : -1)));
  await shredding().take(asked);
  const said = (await ledger(asked.request)).map(({ attempts }) => attempts);
  assert.deepEqual(said, [asked.attempts], 'all, in the order in which they were asked');
  assert.ok(!(await rows()).includes(sealed));
  assert.ok(away !== undefined);
  const late = await ask(away, requestOf(away, waiting, 1));
  assert.deepEqual(late, { result: 'refused', reason: 'attempt-not-new' });
  await granted(away, waiting, 2);
});

test('an order destroys nothing that was granted at home or to another machine, and what was never granted makes no job one that was away', async () => {
  assert.ok(away !== undefined && home !== undefined);
  const made = await depositTestJob(rig, organisation, { outputs: ['kept'], ...LEAVES });
  const deposit = await workloadOf(made);
  const { job } = made.body;
  const { outputs, sealed } = await granted(home, made, 1);
  const named = [{ job, attempt: 1 }];
  for (const agent of [away.id, home.id]) await shredding().take(order(named, undefined, agent));
  const future = order([{ job, attempt: 7 }]);
  await shredding().take(future);
  assert.deepEqual((await ledger(future.request))[0]?.attempts, future.attempts);
  assert.equal(
    (await home.client.commit(await commitBody(organisation, home, made, { attempt: 1, outputs }))).result,
    'committed',
  );
  const asked = [order(named), order(named, undefined, home.id), order([{ job, attempt: 8 }])];
  for (const one of asked) await shredding().take(one);
  const text = await rows();
  assert.ok(text.includes(sealed), 'the grant at home');
  assert.deepEqual(await workloadOf(made), deposit);
  const said = await Promise.all(asked.map(({ request }) => ledger(request)));
  assert.deepEqual(
    said.map(({ length }) => length),
    [0, 0, 1],
    'nothing is said of what was not done',
  );
});

test('an order about a machine that was removed counts where the job might leave home', async () => {
  const rented = await joinAway(rig, organisation, provider);
  const own = await joinRig(rig, organisation, 'own');
  const [left, stayed] = [await mayLeave(), await depositTestJob(rig, organisation)];
  const atRented = await granted(rented, left, 1);
  const atOwn = await granted(own, stayed, 1);
  const claimed = rig.custodian.context.owner.claimed ?? assert.fail();
  for (const [{ id }, { body }] of [
    [rented, left],
    [own, stayed],
  ] as const) {
    await closeJob(rig.custodian.context, claimed, body.job, 'failed');
    await organisation.client.removeAgent(id, { reason: 'left' });
    await shredding().take(order([{ job: body.job, attempt: 1 }], undefined, id));
  }
  const text = await rows();
  assert.ok(!text.includes(atRented.sealed));
  assert.ok(text.includes(atOwn.sealed));
});

test('the ledger says what the provider signed: its word, another’s, or none', async () => {
  assert.ok(away !== undefined && home !== undefined);
  const made = await mayLeave();
  await granted(away, made, 1);
  await away.client.stopped(stoppedBy(away, made, 1));
  const asked = order([{ job: made.body.job, attempt: 1 }]);
  const { request, agent, attempts } = asked;
  const body = { v: 1, org: organisation.org, agent, request, attempts, at: clock.now() } as const;
  const good = signStatement('deletion', body, [away.sign]);
  const forged = signStatement('deletion', body, [home.sign]);
  const other = signStatement('deletion', { ...body, attempts: [{ ...(attempts[0] ?? assert.fail()), attempt: 2 }] }, [
    away.sign,
  ]);
  for (const deletion of [undefined, forged, other, good])
    await shredding().take({ ...asked, ...(deletion === undefined ? {} : { deletion }) });
  const said = (await ledger(request)).map(({ deletion }) => deletion);
  assert.deepEqual(said, ['missing', 'refused', 'refused', statementDigest(good)]);
});

test('an order outlives a crash before and after it is stored', async () => {
  const ended = [];
  for (const point of ['shred-before-commit', 'shred-after-commit']) {
    const made = await mayLeave();
    const { sealed } = await granted(away, made, 1);
    await away?.client.stopped(stoppedBy(away, made, 1));
    ended.push({ point, made, sealed });
  }
  for (const { point, made, sealed } of ended) {
    const asked = order([{ job: made.body.job, attempt: 1 }]);
    dying.at = point;
    await assert.rejects(shredding().take(asked));
    dying.at = '';
    await rig.restart();
    // What was not stored was not acknowledged either: it comes again.
    if (point === 'shred-before-commit') await shredding().take(asked);
    await until(async () => (await ledger(asked.request)).length === 1);
    assert.ok(!(await rows()).includes(sealed));
  }
});
