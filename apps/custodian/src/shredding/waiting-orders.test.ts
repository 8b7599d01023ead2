import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId, systemRng as rng, type Clock, type JobId, type MonotonicMs } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import type { MessageBody } from '@ringfence/protocol/messages';
import {
  ask,
  commitBody,
  depositTestJob,
  grantBody,
  joinRig,
  openGrant,
  stoppedBy,
  type TestAgent,
  type TestJob,
} from '../fixtures/agent.fixture.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import { joinAway, makeProvider } from '../fixtures/provider.fixture.ts';
import { Shredding, type ShreddingParts } from './shredding.ts';

/** By how much the custodian's monotonic clock is ahead. */
const late = { ms: 0 };
const clock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => (systemClock.monotonic() + late.ms) as MonotonicMs,
  after: (delay, run) => systemClock.after(delay, run),
};
/** Leases last for half a minute. */
const LONG_MS = 600_000;

let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;
let away: TestAgent;
let home: TestAgent;

before(async () => {
  [rig, controlPlane] = await Promise.all([startRig({ clock }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
  const provider = await makeProvider(organisation);
  await organisation.client.addEvidence(provider.evidence());
  away = await joinAway(rig, organisation, provider);
  home = await joinRig(rig, organisation, 'home');
});
after(async () => {
  await rig.close();
  await controlPlane.close();
});

function mayLeave(outputs: string[] = []): Promise<TestJob> {
  return depositTestJob(rig, organisation, {
    outputs,
    placement: {
      tiers: ['private', 'secure-cloud'],
      burst: 'allowed',
      evidence: { require: [], grade: 'documented', maxAgeDays: 365 },
    },
  });
}

async function granted(by: TestAgent, made: TestJob, attempt = 1) {
  const chosen = {
    offer: newId('offer', rng),
    agent: by.id,
    tier: by === away ? 'secure-cloud' : 'private',
    isolation: 'gvisor',
  } as const;
  const answer = await ask(by, grantBody(controlPlane, by, made, { attempt, editReceipt: { chosen } }));
  assert.ok(answer.result === 'granted', JSON.stringify(answer));
  return openGrant(organisation, by, made, { attempt, payload: answer.payload });
}

/** A job of which an attempt runs away from home. */
async function leftHome(): Promise<TestJob> {
  const made = await mayLeave();
  await granted(away, made);
  return made;
}

type Order = MessageBody<'shred-keys'>;

const order = (...jobs: JobId[]): Order => ({
  request: newId('deletion', rng),
  agent: away.id,
  attempts: jobs.map((job) => ({ job, attempt: 1 })),
});

/** The same order with the machine's word, dated now. */
function deleted(asked: Order): Order & { readonly deletion: Envelope } {
  const { request, agent, attempts } = asked;
  const body = { v: 1, org: organisation.org, agent, request, attempts, at: systemClock.now() } as const;
  return { ...asked, deletion: signStatement('deletion', body, [away.sign]) };
}

/** What the ledger says of the deletion of an order. */
async function ledger({ request }: Order): Promise<string[]> {
  const rows = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx.selectFrom('event').select('body').where('type', '=', 'keys-shredded').orderBy('seq').execute(),
  );
  const events = rows.map(
    ({ body }) => (JSON.parse(Buffer.from(body).toString()) as { event: { request: string; deletion: string } }).event,
  );
  return events.filter((event) => event.request === request).map(({ deletion }) => deletion);
}

/** Whether the sealed grant of an attempt is there. */
async function hasKeys({ body: { job } }: TestJob, attempt = 1): Promise<boolean> {
  const { payload } = await rig.custodian.context.store.withOrg(organisation.org, (tx) =>
    tx
      .selectFrom('attempt')
      .select('payload')
      .where('job', '=', job)
      .where('attempt', '=', attempt)
      .executeTakeFirstOrThrow(),
  );
  return payload !== null;
}

async function take(asked: Order): Promise<void> {
  await rig.custodian.context.shredding.take(asked);
  await rig.custodian.context.shredding.settled();
}

test('an attempt whose lease ran out, for all that is known here, is not over; a deletion from before its end does not count', async () => {
  const made = await mayLeave(['went-on']);
  const { outputs } = await granted(away, made);
  const asked = order(made.body.job);
  // Its renewals pass the custodian by.
  late.ms += LONG_MS;
  await take(deleted(asked));
  assert.deepEqual(await ledger(asked), []);
  assert.ok(await hasKeys(made));
  const answer = await away.client.commit(await commitBody(organisation, away, made, { attempt: 1, outputs }));
  assert.equal(answer.result, 'committed');
  await rig.custodian.context.shredding.settled();
  assert.deepEqual(await ledger(asked), ['refused']);
  assert.ok(!(await hasKeys(made)));
  const after = deleted(asked);
  await take(after);
  await away.client.stopped(stoppedBy(away, made, 1, 'succeeded'));
  await take(after);
  assert.deepEqual(await ledger(asked), ['refused', statementDigest(after.deletion), 'refused'], 'its own word counts');
  const last = deleted(asked);
  await take(last);
  assert.equal((await ledger(asked)).at(-1), statementDigest(last.deletion));
});

test('the grant of a later attempt ends the one before, and keeps its own keys', async () => {
  const made = await leftHome();
  const asked = order(made.body.job);
  await take(asked);
  const early = deleted(asked);
  late.ms += LONG_MS;
  await granted(home, made, 2);
  await rig.custodian.context.shredding.settled();
  assert.deepEqual([await ledger(asked), await hasKeys(made, 1), await hasKeys(made, 2)], [['missing'], false, true]);
  await take(early);
  const late2 = deleted(asked);
  await take(late2);
  assert.deepEqual(await ledger(asked), ['missing', 'refused', statementDigest(late2.deletion)]);
});

test('taking an order waits for nothing but its row', async () => {
  const made = await leftHome();
  await away.client.stopped(stoppedBy(away, made, 1));
  const { store, shredding } = rig.custodian.context;
  const [locked, taken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = store.withOrg(organisation.org, async (tx) => {
    await tx.selectFrom('job').select('job').where('job', '=', made.body.job).forUpdate().execute();
    locked.resolve();
    await taken.promise;
  });
  await locked.promise;
  const asked = order(made.body.job);
  await shredding.take(asked);
  assert.deepEqual(await ledger(asked), []);
  taken.resolve();
  await holding;
  await shredding.settled();
  assert.deepEqual(await ledger(asked), ['missing']);
});

/** A shredding of its own on the custodian's database; it hears of ends from the test alone. */
function ownShredding(over: Partial<ShreddingParts> = {}) {
  const { context } = rig.custodian;
  const seen = { looks: 0, timers: [] as { delay: number; run: () => void }[], log: [] as string[] };
  const own = new Shredding({
    store: {
      withOrg: (org, run, options) => {
        seen.looks += 1;
        return context.store.withOrg(org, run, options);
      },
    },
    clock: { ...clock, after: (delay, run) => (seen.timers.push({ delay, run }), () => {}) },
    record: context.record,
    log: { ...context.log, warn: (name) => void seen.log.push(name) },
    fault: () => {},
    wake: () => {},
    ...over,
  });
  own.start(context.owner.claimed ?? assert.fail());
  return { own, seen };
}

test('orders that wait are looked at when an attempt of theirs may have ended, and cost nothing until then', async () => {
  const { own, seen } = ownShredding();
  const [one, two] = [await leftHome(), await leftHome()];
  const [first, second] = [order(one.body.job), order(two.body.job)];
  for (const asked of [first, second]) await own.take(asked);
  await own.settled();
  seen.looks = 0;
  own.ended(newId('job', rng));
  await own.settled();
  assert.deepEqual([seen.looks, seen.timers.length], [0, 0]);
  await away.client.stopped(stoppedBy(away, one, 1));
  own.ended(one.body.job);
  await own.settled();
  assert.equal(seen.looks, 1);
  assert.deepEqual([await ledger(first), await ledger(second)], [['missing'], []]);
  await away.client.stopped(stoppedBy(away, two, 1));
  own.ended(two.body.job);
  await own.settled();
  assert.deepEqual(await ledger(second), ['missing']);
});

test('what failed is tried again, and holds up no other order', async () => {
  const failing = new Set<string>();
  const { record } = rig.custodian.context;
  const { own, seen } = ownShredding({
    record: (tx, org, event) => {
      if (event.type === 'keys-shredded' && failing.delete(event.request)) throw new Error('the disk is full');
      return record(tx, org, event);
    },
  });
  const [one, two] = [await leftHome(), await leftHome()];
  for (const made of [one, two]) await away.client.stopped(stoppedBy(away, made, 1));
  const [first, second] = [order(one.body.job), order(two.body.job)];
  failing.add(first.request);
  for (const asked of [first, second]) {
    await own.take(asked);
    await own.settled();
    if (asked === first) failing.add(first.request);
  }
  assert.deepEqual([await ledger(first), await ledger(second)], [[], ['missing']]);
  const timer = seen.timers.at(-1) ?? assert.fail();
  assert.equal(timer.delay, 60_000);
  timer.run();
  await own.settled();
  assert.deepEqual(await ledger(first), ['missing']);
});

test('no more than 1,024 orders wait: the oldest are forgotten', async (t) => {
  const { store } = rig.custodian.context;
  const { org } = organisation;
  const made = await leftHome();
  const attempts = JSON.stringify([{ job: made.body.job, attempt: 1 }]);
  const rows = Array.from({ length: 1_024 }, (_, at) => {
    return { org, request: newId('deletion', rng), agent: away.id, attempts, deletion: 'missing' as const, at };
  });
  await store.withOrg(org, (tx) => tx.insertInto('shred_order').values(rows).execute());
  t.after(() => store.withOrg(org, (tx) => tx.deleteFrom('shred_order').execute()));
  const { own, seen } = ownShredding();
  await own.take(order(made.body.job));
  const left = await store.withOrg(org, (tx) => tx.selectFrom('shred_order').select('at').orderBy('at').execute());
  assert.deepEqual([left.length, left[0]?.at], [1_024, 1]);
  assert.deepEqual(seen.log, ['shredding.forgotten']);
  await own.stop();
});
