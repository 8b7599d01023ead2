import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, rmdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ManualClock, newId, systemRng } from '@ringfence/base';
import { readJournal, type JournalRecord } from '@ringfence/ledger';
import { JOURNAL_NAME, JournalFile } from './journal-file.ts';
import { temporaryFolder } from './party.fixture.ts';
import { closedSegments, segmentPath } from './segment-names.ts';

const START = {
  kind: 'start',
  format: 1,
  role: 'agent',
  party: newId('agent', systemRng),
  org: newId('org', systemRng),
  link: newId('controlPlane', systemRng),
} as const;
const fact = (n: number) => ({ kind: 'fact', name: 'step', body: { n } }) as const;

function opened(t: TestContext, folder: string, clock = new ManualClock()) {
  const records: JournalRecord[] = [];
  const file = new JournalFile(folder, clock, (record) => records.push(record));
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await file.close();
    closed = true;
  };
  t.after(() => close().catch(() => {}));
  return { file, records, clock, close };
}

test('what was appended is there after opening again, with hashes by number', async (t) => {
  const folder = temporaryFolder(t);
  const first = opened(t, folder);
  const hashes = ['0'.repeat(64)];
  hashes.push(first.file.append(START).hash);
  for (let n = 2; n <= 3_000; n += 1) hashes.push(first.file.append(fact(n)).hash);
  for (const seq of [0, 1, 2, 1_024, 1_025, 1_026, 2_999, 3_000]) assert.equal(first.file.hashAt(seq), hashes[seq]);
  assert.equal(first.file.hashAt(3_001), undefined);
  await first.close();
  assert.equal(statSync(join(folder, JOURNAL_NAME)).mode & 0o777, 0o600);
  const second = opened(t, folder);
  assert.equal(second.records.length, 3_000);
  assert.deepEqual(second.file.head.hash, hashes[3_000]);
  for (const seq of [1, 1_024, 1_025, 2_048, 2_049, 2_999]) assert.equal(second.file.hashAt(seq), hashes[seq]);
  const numbers: number[] = [];
  second.file.scan(({ seq }) => numbers.push(seq) < 2_000);
  assert.deepEqual([numbers.length, numbers.at(-1)], [2_000, 2_000]);
});

test('a torn last line is cut off at opening and the journal goes on', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, JOURNAL_NAME);
  const first = opened(t, folder);
  first.file.append(START);
  first.file.append(fact(1));
  await first.close();
  const whole = statSync(path).size;
  appendFileSync(path, '{"body":{"n":2},"has');
  const second = opened(t, folder);
  assert.equal(statSync(path).size, whole);
  assert.equal(second.records.length, 2);
  second.file.append(fact(3));
  await second.close();
  assert.equal(readJournal(readFileSync(path)).records.length, 3);
});

test('a changed journal stops the process instead of being continued', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, JOURNAL_NAME);
  const first = opened(t, folder);
  first.file.append(START);
  first.file.append(fact(1));
  first.file.append(fact(2));
  await first.close();
  const good = readFileSync(path);
  writeFileSync(path, Buffer.from(good.toString().replace('"n":2', '"n":3')));
  assert.throws(() => opened(t, folder), { code: 'broken-journal' });
  writeFileSync(path, good);
  assert.equal(opened(t, folder).records.length, 3);
});

test('a second writer is noticed before anything is mixed, and its owner is told once', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, JOURNAL_NAME);
  const told: string[] = [];
  const file = new JournalFile(folder, new ManualClock(), () => {}, { onFailed: ({ code }) => told.push(code) });
  t.after(() => file.close().catch(() => {}));
  file.append(START);
  appendFileSync(path, 'x');
  assert.throws(() => file.append(fact(1)), { code: 'journal-failed' });
  truncateSync(path, statSync(path).size - 1);
  assert.throws(() => file.append(fact(1)), { code: 'journal-failed' }, 'it stays failed until the next start');
  await assert.rejects(file.sync(), { code: 'journal-failed' });
  assert.deepEqual(told, ['journal-failed']);
});

test('records carry a time that a jump of the wall clock does not move', async (t) => {
  const { file, clock } = opened(t, temporaryFolder(t));
  const at = clock.now();
  assert.equal(file.append(START).t, at);
  clock.advance(1_500);
  clock.jump(-3_600_000);
  assert.equal(file.append(fact(1)).t, at + 1_500);
  clock.advance(10);
  assert.equal(file.append(fact(2)).t, at + 1_510);
});

test('records that nobody waits for are synced within a second', async (t) => {
  const { file, clock } = opened(t, temporaryFolder(t));
  await file.sync();
  assert.equal(clock.waiting, 0);
  file.append(START);
  assert.equal(clock.waiting, 1);
  file.append(fact(1));
  assert.equal(clock.waiting, 1);
  clock.advance(1_000);
  await file.sync();
  assert.equal(clock.waiting, 0);
  file.append(fact(2));
  assert.equal(clock.waiting, 1, 'the next record starts its own second');
  await file.sync();
  assert.equal(clock.waiting, 0, 'a sync that somebody asked for serves it too');
});

test('a closed segment that cannot be folded is told of, is whole, and is folded by the next start', async (t) => {
  const folder = temporaryFolder(t);
  const told: unknown[] = [];
  const first = new JournalFile(folder, new ManualClock(), () => {}, { onUntidy: (cause) => told.push(cause) });
  first.append(START);
  first.append(fact(2));
  const inTheWay = `${segmentPath(folder, 1, 'folded')}.tmp`;
  mkdirSync(inTheWay);
  const { hash } = first.rotate(() => fact(3));
  assert.equal(told.length, 1);
  assert.equal((told[0] as NodeJS.ErrnoException).code, 'EISDIR');
  assert.equal(first.append(fact(4)).hash_prev, hash, 'the journal goes on');
  await first.close();
  rmdirSync(inTheWay);
  const { records } = opened(t, folder);
  assert.deepEqual(
    records.map((record) => record.kind === 'fact' && record.body['n']),
    [2, 3, 4],
  );
  assert.deepEqual([...(closedSegments(folder)[0]?.forms ?? [])].toSorted(), ['folded', 'steps']);
});
