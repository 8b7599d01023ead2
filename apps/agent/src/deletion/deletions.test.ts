import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newId, systemRng as rng, toHex, type JobId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { sha256Hex, type Envelope } from '@ringfence/crypto/sign';
import { checkDeletion } from '@ringfence/keyring';
import { until } from '@ringfence/base/until';
import type { NamedAttempt } from '@ringfence/protocol/statements';
import { AttemptFolder } from '../attempt/attempt-folder.ts';
import { IDS, WORKLOAD } from '../attempt/members.fixture.ts';
import { openOrganisation, type TestOrganisation } from '../attempt/organisation.fixture.ts';
import { attemptRoom } from '../machine/work-folder.ts';
import { ImageStore } from '../oci/image-store.ts';
import { SetupCache } from '../setup/setup-cache.ts';
import { deletionAskedFact, DeletionHistory } from './deletion-facts.ts';
import { Deletions, type DeletionParts } from './deletions.ts';

/** Deletions of an organisation's link, as a process that begins now has them. */
function deletionsOf(organisation: TestOrganisation, more: Partial<DeletionParts> = {}): Deletions {
  const { context, runner } = organisation;
  const deletions = new Deletions({
    context,
    history: new DeletionHistory(),
    isAway: () => true,
    isAlive: ({ job, attempt }) => runner.workOf(job, attempt) !== undefined,
    forgo: (attempts) => runner.forgo(attempts),
    logsSettled: () => runner.logsSettled(),
    stopping: new AbortController().signal,
    ...more,
  });
  organisation.onOver.push(() => deletions.look());
  return deletions;
}

/** The answers that wait for the control plane. */
function answers({ context }: TestOrganisation): { request: string; statement: Envelope }[] {
  return context.journal.state.unacknowledged
    .filter(({ number }) => number === 0x0106)
    .map(({ body }) => body as unknown as { request: string; statement: Envelope });
}

function kept({ machine }: TestOrganisation, attempt: NamedAttempt): boolean {
  return existsSync(new AttemptFolder(machine.state, attempt).path);
}

const order = (...jobs: JobId[]) => ({
  request: newId('deletion', rng),
  attempts: jobs.map((job) => ({ job, attempt: 1 })),
});
const SLEEPS = { ...WORKLOAD, run: 'exec sleep 1000' };

test('what is held of an attempt that is over is deleted, and the agent signs that', async (t) => {
  const organisation = await openOrganisation(t);
  const { machine, context } = organisation;
  const { job } = await organisation.lease();
  const { job: other } = await organisation.lease();
  await organisation.settled();
  assert.deepEqual(organisation.output(job), ['it ran']);
  const object = rng.bytes(100);
  await machine.cache.get(sha256Hex(object), () => Promise.resolve(object));
  // As a clean-up that failed left it.
  mkdirSync(attemptRoom(machine.folders, { job, attempt: 1 }), { recursive: true });
  const bytes = machine.logQuota.bytes;
  const asked = order(job);
  const deletions = deletionsOf(organisation);
  await deletions.ask(asked, 900);
  await deletions.settled();

  assert.ok(!existsSync(dirname(new AttemptFolder(machine.state, { job, attempt: 1 }).path)));
  assert.ok(!existsSync(attemptRoom(machine.folders, { job, attempt: 1 })));
  assert.ok(kept(organisation, { job: other, attempt: 1 }), 'another attempt keeps its log');
  assert.ok(machine.logQuota.bytes < bytes, 'its log counts no more');
  let fetched = 0;
  await machine.cache.get(sha256Hex(object), () => Promise.resolve(((fetched += 1), object)));
  assert.equal(fetched, 1, 'sealed objects are gone too');
  const [answer] = answers(organisation);
  assert.ok(answer !== undefined && answer.request === asked.request);
  const said = checkDeletion(answer.statement, { ...asked, agent: IDS.agent }, { keyring: context.keyring.keyring });
  assert.ok(said.allow);
  assert.deepEqual(said.deletion.body.attempts, asked.attempts);
});

test('at home nothing is deleted on a control plane’s word', async (t) => {
  const organisation = await openOrganisation(t);
  const { job } = await organisation.lease();
  await organisation.settled();
  const deletions = deletionsOf(organisation, { isAway: () => false });
  await deletions.ask(order(job), 900);
  await deletions.settled();
  assert.deepEqual(organisation.output(job), ['it ran']);
  assert.equal(answers(organisation).length, 0);
  assert.ok(organisation.log.some((line) => line.includes('deletion.refused')));
});

test('what is another organisation’s stays, whoever names it', async (t) => {
  const organisation = await openOrganisation(t);
  const { machine } = organisation;
  const { job } = await organisation.lease();
  await organisation.settled();
  const folder = new AttemptFolder(machine.state, { job, attempt: 1 });
  folder.write({ ...(folder.about ?? assert.fail()), org: newId('org', rng) });
  const deletions = deletionsOf(organisation);
  await deletions.ask(order(job), 900);
  await deletions.settled();
  assert.deepEqual(organisation.output(job), ['it ran']);
  assert.equal(answers(organisation).length, 1, 'of its own nothing is there');
});

test('an order is answered when all its attempts are over; what was never here counts as deleted', async (t) => {
  const organisation = await openOrganisation(t);
  const { job } = await organisation.lease();
  await organisation.settled();
  const { job: running } = await organisation.lease({ workload: SLEEPS });
  await until(() => organisation.facts().filter((name) => name === 'starting').length === 2, 'it runs');
  const deletions = deletionsOf(organisation);
  await deletions.ask(order(job, running), 900);
  const unknown = order(newId('job', rng));
  await deletions.ask(unknown, 901);
  await deletions.settled();
  assert.deepEqual(
    answers(organisation).map(({ request }) => request),
    [unknown.request],
  );
  assert.ok(kept(organisation, { job, attempt: 1 }) && kept(organisation, { job: running, attempt: 1 }));

  organisation.runner.stop({ job: running, attempt: 1 }, { graceMs: 0, reason: 'drain' });
  await until(() => answers(organisation).length === 2, 'its end is what was waited for');
  assert.ok(!kept(organisation, { job, attempt: 1 }) && !kept(organisation, { job: running, attempt: 1 }));
});

test('an attempt that is signed as gone before it was leased never runs, nor after a restart', async (t) => {
  const organisation = await openOrganisation(t);
  const history = new DeletionHistory();
  const deletions = deletionsOf(organisation, { history });
  const [before, during] = [newId('job', rng), newId('job', rng)];
  await deletions.ask(order(before), 900);
  const asking = deletions.ask(order(during), 901);
  // While the order is being written down.
  await organisation.lease({ job: during });
  await asking;
  await deletions.settled();
  assert.equal(answers(organisation).length, 2);
  const refuses = async (job: JobId): Promise<void> => {
    await organisation.lease({ job });
    await organisation.settled();
    assert.ok(!organisation.facts().includes('leased'), 'nothing is taken');
    assert.ok(!kept(organisation, { job, attempt: 1 }));
  };
  await refuses(before);
  // What the next process reads out of the journal.
  const after = newId('job', rng);
  history.take(deletionAskedFact(order(after)));
  deletionsOf(organisation, { history });
  await refuses(after);
  assert.deepEqual(organisation.facts().filter((name) => name === 'refused').length, 3);
  const { job } = await organisation.lease({ job: before, attempt: 2 });
  await organisation.settled();
  assert.deepEqual(organisation.output(job, 2), ['it ran'], 'a later attempt is another matter');
});

test('a log on its way to its owner is waited for; an agent that stops leaves it to the next', async (t) => {
  const organisation = await openOrganisation(t);
  const { job } = await organisation.lease();
  await organisation.settled();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stopping = new AbortController();
  const history = new DeletionHistory();
  const first = deletionsOf(organisation, { history, logsSettled: () => promise, stopping: stopping.signal });
  await first.ask(order(job), 900);
  stopping.abort();
  resolve();
  await first.settled();
  assert.ok(kept(organisation, { job, attempt: 1 }));
  assert.equal(answers(organisation).length, 0);
  const next = deletionsOf(organisation, { history });
  next.look();
  await next.settled();
  assert.ok(!kept(organisation, { job, attempt: 1 }));
  assert.equal(answers(organisation).length, 1);
});

test('a crash between deleting and saying so repeats the order, and one before that too', async (t) => {
  for (const point of ['deletion-before-files', 'deletion-before-journal']) {
    const organisation = await openOrganisation(t);
    const { context } = organisation;
    const { job } = await organisation.lease();
    await organisation.settled();
    const history = new DeletionHistory();
    const fault = (name: string): void => {
      if (name === point) throw new Error('the process died');
    };
    const asked = order(job);
    const ended = new AbortController();
    const dead = deletionsOf(organisation, { history, context: { ...context, fault }, stopping: ended.signal });
    await dead.ask(asked, 900);
    await dead.settled();
    ended.abort();
    assert.equal(answers(organisation).length, 0, point);
    // What the next process reads out of the journal.
    assert.deepEqual(history.open, [asked]);
    const next = deletionsOf(organisation, { history });
    next.look();
    await next.settled();
    assert.deepEqual(history.open, []);
    assert.ok(!kept(organisation, { job, attempt: 1 }));
    assert.deepEqual(
      answers(organisation).map(({ request }) => request),
      [asked.request],
    );
  }
});

test('what a live attempt uses of the caches goes when it is done with it', async (t) => {
  const folder = emptyFolder(t);
  const setups = new SetupCache(join(folder, 'setups'), 1e6);
  const code = join(folder, 'code');
  mkdirSync(code);
  for (let file = 0; file < 50; file += 1) writeFileSync(join(code, String(file)), 'x');
  const { signal } = new AbortController();
  const key = sha256Hex(rng.bytes(8));
  await setups.keep(key, code, signal);
  const reading = setups.restore(key, join(folder, 'to'), signal);
  setups.clear();
  assert.equal(await setups.restore(key, join(folder, 'other'), signal), false, 'nobody else gets it');
  assert.equal(await reading, true);
  assert.equal(readdirSync(join(folder, 'to')).length, 50, 'who reads it gets all of it');
  assert.deepEqual(readdirSync(join(folder, 'setups')), []);

  const images = join(folder, 'images');
  const digest = toHex(rng.bytes(32));
  const image = join(images, `${digest}-${'0'.repeat(32)}`);
  mkdirSync(join(image, 'root'), { recursive: true });
  writeFileSync(join(image, 'image.json'), JSON.stringify({ v: 1, bytes: 1, config: SAMPLE_CONFIG }));
  const store = new ImageStore(images, 1e6, systemClock);
  const used = await store.use(`sha256:${digest}`, () => assert.fail('it is there'), signal);
  store.clear();
  assert.ok(existsSync(used.root));
  used.release();
  used.release();
  assert.deepEqual(readdirSync(images), []);
});

const SAMPLE_CONFIG = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } };

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-deletion-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
