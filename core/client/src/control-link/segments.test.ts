import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { canonicalJson, newId, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import {
  appendRecord,
  EMPTY_JOURNAL,
  LedgerError,
  readJournal,
  readSessionKeys,
  signCheckpoint,
  wireVerify,
  type JournalFields,
  type JournalRecord,
  type WireReport,
} from '@ringfence/ledger';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { readHandshakeSeed } from './handshake-seed-file.ts';
import { journalLines, journalParts } from './journal-parts.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';
import { segmentRecords } from './closed-segment.ts';
import { closedSegments, segmentPath } from './segment-names.ts';
import { SESSIONS_NAME } from './session-keys.ts';
import { ClosedPart } from './closed-part.ts';

/** A party whose segments are so small that it closes several, with a control plane that knows it. */
async function living(t: TestContext) {
  const clock = fastClock(200);
  const controlPlane = new LoopbackControlPlane(clock);
  controlPlane.heartbeatMs = 10_000;
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const folder = temporaryFolder(t);
  const run = { job: newId('job', systemRng), attempt: 1 };
  const begin = () => dial(t, controlPlane, { identity, folder, clock, limits: { bytes: 32_768, age: 86_400_000 } });
  const keys = { party: identity.key.publicKey, root: controlPlane.root.publicKey, controlPlane: controlPlane.id };
  const verify = (from = folder): WireReport => {
    const parts = journalParts(from);
    return wireVerify({
      records: journalLines(parts),
      sessions: readSessionKeys(readFileSync(join(from, SESSIONS_NAME), 'utf8')),
      keys: { ...keys, signing: identity.key, seed: readHandshakeSeed(from) },
      removed: new Set(parts.removed.flatMap(({ conns }) => conns)),
    });
  };
  return { clock, controlPlane, row, folder, run, begin, verify, identity };
}

test('a journal in segments proves what the whole one proved, and goes on after a restart', async (t) => {
  const { row, folder, run, begin, verify } = await living(t);
  const first = begin();
  await until(() => first.link.state === 'up', 'the link');
  await first.link.send({ name: 'attempt-status', body: { ...run, state: 'running' } });
  await until(() => closedSegments(folder).length >= 3, 'three closed segments');
  const oldest = first.journal.hashAt(3);
  await first.close();
  const second = begin();
  await until(() => second.link.state === 'up', 'the link after a restart');
  assert.equal(row.locked, false);
  assert.equal(second.journal.hashAt(3), oldest);
  await second.link.send({ name: 'attempt-status', body: { ...run, state: 'stopped', outcome: 'succeeded' } });
  await until(() => row.received === 2, 'the second message');
  await second.close();
  const report = verify();
  assert.deepEqual(report.problems, []);
  assert.equal(report.from, 1);
  assert.ok(report.smuggling.handshakesFixed, 'every open frame comes from the seed');
  assert.ok(report.connections.length >= 4);
  // At this clock a busy machine takes longer for the odd handshake or goodbye than either side waits.
  const whole = report.sockets.filter(({ closed, framesOut }) => closed !== undefined && framesOut.length > 1);
  assert.ok(whole.length >= 3, `${whole.length} of ${report.sockets.length}`);
  const folded = closedSegments(folder).filter(({ forms }) => forms.has('folded'));
  assert.ok(folded.length >= 2);
  const shrunk = folded.map((segment) => {
    const lines = Array.from(segmentRecords(folder, segment), (record) => canonicalJson(record).length + 1);
    return statSync(segmentPath(folder, segment.first, 'folded')).size / lines.reduce((sum, bytes) => sum + bytes);
  });
  assert.ok(Math.min(...shrunk) < 0.75, shrunk.join());
});

test('old segments are packed and removed when a setting says so; the rest verifies, and says from where', async (t) => {
  const { clock, row, folder, run, begin, verify } = await living(t);
  const first = begin();
  await until(() => first.link.state === 'up', 'the link');
  await first.link.send({ name: 'attempt-status', body: { ...run, state: 'running' } });
  await until(() => closedSegments(folder).length >= 3, 'three closed segments');
  await first.close();
  const whole = verify();
  new ClosedPart(folder, () => {}).retain({ packAfter: -1 }, clock.now());
  assert.deepEqual(verify(), whole, 'packed segments say the same');
  assert.ok(closedSegments(folder).every(({ forms }) => forms.has('packed') && !forms.has('folded')));
  const [oldest] = closedSegments(folder);
  assert.ok(oldest !== undefined);
  const part = new ClosedPart(folder, () => {});
  const shown = part.hashAt(row.last?.seq ?? 0) === undefined ? undefined : row.last;
  part.retain({ keepFor: -1 }, clock.now());
  const report = verify();
  assert.deepEqual(report.problems, []);
  assert.ok(report.from > 1 && report.head === whole.head);
  const second = begin();
  await until(() => second.link.state === 'up', 'the link with nothing but steps behind it');
  assert.deepEqual([row.locked, row.received], [false, 1]);
  if (shown !== undefined && shown !== null) assert.equal(second.journal.hashAt(shown.seq), shown.hash);
  assert.deepEqual(
    second.journal.messagesAbove(0).map(({ mid }) => mid),
    [1],
    'a restored control plane can ask again for what was acknowledged',
  );
  await second.close();
  rmSync(segmentPath(folder, oldest.first, 'steps'));
  assert.throws(() => begin(), /segment of the journal is missing/);
});

test('what is changed in a closed segment is found', async (t) => {
  const { folder, begin, verify } = await living(t);
  const party = begin();
  await until(() => closedSegments(folder).length >= 2, 'two closed segments');
  await party.close();
  await begin().close();
  const [segment] = closedSegments(folder);
  assert.ok(segment !== undefined);
  const path = segmentPath(folder, segment.first, 'folded');
  const good = readFileSync(path, 'utf8');
  const forged = (from: string, to: string): void => {
    assert.ok(good.includes(from));
    writeFileSync(path, good.replace(from, to));
    assert.throws(() => verify(), LedgerError);
    writeFileSync(path, good);
  };
  forged('"attempts":[]', '"attempts":[{}]');
  forged('"d":', '"d":1');
  forged(',"m":515', ',"e":999,"m":515');
  const copy = join(temporaryFolder(t), 'copy');
  mkdirSync(copy);
  cpSync(folder, copy, { recursive: true });
  for (const name of readdirSync(copy)) if (name.includes('folded')) rmSync(join(copy, name));
  assert.deepEqual(verify(copy).problems, []);
});

/** The journal with one record changed and chained anew, as a forger with the folder would. */
function chainedAnew(
  records: readonly JournalRecord[],
  change: (record: JournalRecord) => JournalRecord,
): JournalRecord[] {
  let head = EMPTY_JOURNAL;
  let text = '';
  for (const record of records) {
    const { seq: _, t, hash: __, hash_prev: ___, ...fields } = change(record);
    const appended = appendRecord(head, fields as JournalFields, t);
    head = appended.head;
    text += `${appended.line}\n`;
  }
  return readJournal(Buffer.from(text)).records;
}

test('a checkpoint that its party did not sign is found, and so is one that says something else', async (t) => {
  const { folder, begin, identity, controlPlane } = await living(t);
  const party = begin();
  await until(() => closedSegments(folder).length >= 2, 'two closed segments');
  await party.close();
  const sessions = readSessionKeys(readFileSync(join(folder, SESSIONS_NAME), 'utf8'));
  const keys = { party: identity.key.publicKey, root: controlPlane.root.publicKey, controlPlane: controlPlane.id };
  const records = [...journalLines(journalParts(folder))];
  const judged = (all: readonly JournalRecord[], from = 0): string[] => {
    const { problems } = wireVerify({ records: all.slice(from), sessions, keys, removed: new Set(sessions.keys()) });
    return problems.filter(({ code }) => code === 'checkpoint').map(({ seq }) => String(seq));
  };
  assert.deepEqual(judged(records), []);
  const at = records.findIndex(({ kind }) => kind === 'checkpoint');
  const unsigned = chainedAnew(records, (record) =>
    record.kind === 'checkpoint' && record.seq === at + 1 ? { ...record, received: record.received + 1 } : record,
  );
  assert.ok(judged(unsigned).includes(String(at + 1)));
  assert.ok(judged(unsigned, at).includes(String(at + 1)), 'also where nothing lies before it');
  let head = EMPTY_JOURNAL;
  const signed = chainedAnew(records, (record) => {
    const before = head;
    head = { seq: record.seq, hash: record.hash, t: record.t };
    if (record.kind !== 'checkpoint' || record.seq !== at + 1) return record;
    const { kind: _, seq: __, t: ___, hash: ____, hash_prev: _____, sig: ______, ...state } = record;
    return { ...record, ...signCheckpoint(identity.key, before, { ...state, received: state.received + 1 }) };
  });
  assert.ok(judged(signed).includes(String(at + 1)), 'signed, and not what the records before it say');
  assert.ok(!judged(signed, at).includes(String(at + 1)), 'where nothing lies before it, its word is all there is');
});

test('a handshake that does not come from the committed seed is found', async (t) => {
  const { begin, verify } = await living(t);
  const party = begin();
  Object.defineProperty(party.journal, 'handshakeRng', { get: () => undefined });
  await until(() => party.link.state === 'up', 'the link');
  await party.close();
  const { problems, smuggling } = verify();
  assert.ok(problems.length > 0 && problems.every(({ code }) => code === 'handshake-seed'));
  assert.equal(smuggling.handshakesFixed, false);
});
