import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { ManualClock, silentLog as log } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { removeEmbedded, startEmbedded } from '@ringfence/store';
import { openStore, type OpenStore } from '../store/open-store.ts';
import { termedStore } from '../store/termed-store.ts';
import { ActiveTerm, TERM_MS } from './active-term.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'rf-active-term-'));
let server: Awaited<ReturnType<typeof startEmbedded>>;
let opened: OpenStore;
const held: Process[] = [];

before(async () => {
  server = await startEmbedded({ stateDir, log, clock: systemClock });
  const url = Buffer.from(server.connectionString().expose()).toString();
  opened = await openStore({ stateDir, url, clock: systemClock, log });
});

beforeEach(async () => {
  for (const process of held.splice(0)) await process.term.release();
});

after(async () => {
  await opened?.close();
  await server?.stop();
  await removeEmbedded({ stateDir, clock: systemClock });
  rmSync(stateDir, { recursive: true, force: true });
});

/** A process as the term sees it: with a clock of its own, which stands still while it is frozen. */
interface Process {
  readonly clock: ManualClock;
  readonly term: ActiveTerm;
  readonly lost: string[];
  /** How long it waited, by its own clock. */
  readonly waited: number;
}

/** Lets a process wait until it has the term, and its clock run meanwhile. */
async function take(holder: string, meanwhile?: (waited: number) => void): Promise<Process> {
  const clock = new ManualClock();
  const begun = clock.monotonic();
  const lost: string[] = [];
  let term: ActiveTerm | undefined;
  const parts = { store: opened.store, holder, clock, log, onLost: (why: string) => void lost.push(why) };
  const taking = ActiveTerm.take(parts, () => Promise.resolve(), AbortSignal.timeout(60_000)).then((taken) => {
    term = taken;
  });
  await opened.store.ping();
  while (term === undefined) {
    const waited = clock.monotonic() - begun;
    assert.ok(waited < 60_000, 'it waits for ever');
    meanwhile?.(waited);
    clock.advance(250);
    // Queries of both sides get their turn.
    await opened.store.ping();
    await opened.store.ping();
  }
  await taking;
  const process = { clock, term, lost, waited: clock.monotonic() - begun };
  held.push(process);
  return process;
}

const write = (process: Process): Promise<unknown> =>
  termedStore(opened.store, process.term.check).withSystem('find-organisation', (tx) =>
    tx.selectFrom('organisation').select('org').execute(),
  );

test('a silent holder is followed after its time, and the database takes nothing from it any more', async () => {
  const first = await take('first');
  await write(first);
  const second = await take('second');
  assert.ok(second.waited >= TERM_MS, `${second.waited}`);
  assert.equal(second.term.number, first.term.number + 1);
  await write(second);
  await assert.rejects(write(first), { code: 'unavailable' });
  assert.deepEqual(first.lost, ['superseded']);
  assert.throws(() => first.term.assertHeld(), { code: 'unavailable' });
});

test('a holder that renews is not followed', async () => {
  const first = await take('first');
  const second = await take('second', (waited) => {
    if (waited < 4 * TERM_MS) first.clock.advance(250);
  });
  assert.ok(second.waited >= 5 * TERM_MS - 2_500, `followed after ${second.waited}`);
});

test('time alone ends a term, in the very call that asks', async () => {
  const first = await take('first');
  let passed = 0;
  const { clock } = first;
  const stopped = clock.monotonic();
  // As after a freeze: the time has gone, and no timer has run yet.
  clock.monotonic = () => (stopped + passed) as typeof stopped;
  first.term.assertHeld();
  passed = TERM_MS;
  assert.throws(() => first.term.assertHeld(), { code: 'unavailable' });
  assert.deepEqual(first.lost, ['silent']);
  await assert.rejects(write(first), { code: 'unavailable' });
});

test('a takeover waits for a transaction of the old term, which commits or never does', async () => {
  const first = await take('first');
  const order: string[] = [];
  const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const writing = termedStore(opened.store, first.term.check).withSystem('find-organisation', async () => {
    hasBegun();
    await gate;
    order.push('old transaction');
  });
  await begun;
  const following = take('second', (waited) => {
    if (waited > 2 * TERM_MS) open();
  });
  await Promise.all([writing, following.then(() => order.push('takeover'))]);
  assert.deepEqual(order, ['old transaction', 'takeover']);
});

test('who lets go is followed at once', async () => {
  const first = await take('first');
  await first.term.release();
  const second = await take('second');
  assert.ok(second.waited < TERM_MS / 2, `${second.waited}`);
});
