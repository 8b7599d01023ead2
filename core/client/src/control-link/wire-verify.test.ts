import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { signEnvelope } from '@ringfence/crypto/sign';
import {
  appendRecord,
  EMPTY_JOURNAL,
  readJournal,
  readSessionKeys,
  wireVerify,
  type JournalFields,
  type JournalRecord,
  type WireKeys,
  type WireReport,
} from '@ringfence/ledger';
import { MESSAGES } from '@ringfence/protocol/messages';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { DurableControlMessage } from './accept-link-options.ts';
import { LoopbackControlPlane } from './control-plane.fixture.ts';
import { fastClock } from './fast-clock.fixture.ts';
import { JOURNAL_NAME } from './journal-file.ts';
import { dial, newParty, temporaryFolder } from './party.fixture.ts';
import { SESSIONS_NAME } from './session-keys.ts';

interface Recorded {
  readonly records: JournalRecord[];
  readonly sessions: ReturnType<typeof readSessionKeys>;
  readonly keys: WireKeys;
  readonly controlPlane: LoopbackControlPlane;
}

/** An agent's whole life over three connections: a lease, its steps, heartbeats, a cut, a restart. */
async function recorded(t: TestContext): Promise<Recorded> {
  const clock = fastClock(40);
  const controlPlane = new LoopbackControlPlane(clock);
  await controlPlane.listen(temporaryFolder(t));
  t.after(() => controlPlane.close());
  const identity = newParty();
  const row = controlPlane.admit({ ...identity.party, sign: identity.key.publicKey });
  const folder = temporaryFolder(t);
  const run = { job: newId('job', systemRng), attempt: 1 };
  row.leases = [{ ...run, ttlMs: 60_000 }];
  const begin = () =>
    dial(t, controlPlane, {
      identity,
      folder,
      clock,
      heartbeat: () => ({ attempts: [{ ...run, memory: 20, cpu: 3 }] }),
      onMessage: async (message) => {
        const { name } = message;
        if (name !== 'lease') return undefined;
        return { name: 'taken', body: run, queue: [{ name: 'attempt-status', body: { ...run, state: 'accepted' } }] };
      },
    });
  const first = begin();
  await until(() => first.link.state === 'up', 'the first connection');
  controlPlane.enqueue(row, leaseOf(controlPlane, identity.party, run));
  await until(() => row.received === 1 && row.acknowledged === 1, 'lease and answer');
  await first.link.send({ name: 'attempt-status', body: { ...run, state: 'running' } });
  await until(() => row.received === 2, 'running');
  const connected = controlPlane.connections;
  controlPlane.cut();
  await until(() => controlPlane.connections > connected && first.link.state === 'up', 'another connection');
  await first.link.record({
    name: 'stopped',
    body: run,
    queue: [{ name: 'attempt-status', body: { ...run, state: 'stopped', outcome: 'succeeded' } }],
  });
  await until(() => row.received === 3 && first.journal.state.acknowledged === 3, 'stopped');
  await first.close();
  const second = begin();
  await until(() => second.link.state === 'up', 'the restarted agent');
  await second.close();
  await until(() => controlPlane.ends.length >= 3, 'all ends');
  const { records } = readJournal(readFileSync(join(folder, JOURNAL_NAME)));
  const sessions = readSessionKeys(readFileSync(join(folder, SESSIONS_NAME), 'utf8'));
  const keys = {
    party: identity.key.publicKey,
    root: controlPlane.root.publicKey,
    controlPlane: controlPlane.id,
    signing: identity.key,
  };
  return { records, sessions, keys, controlPlane };
}

function leaseOf(
  controlPlane: LoopbackControlPlane,
  party: ReturnType<typeof newParty>['party'],
  run: { job: string; attempt: number },
): DurableControlMessage {
  const digest = '0'.repeat(64);
  const statement = {
    v: 1,
    org: party.org,
    ...run,
    agent: party.id,
    controlPlane: controlPlane.id,
    jobDigest: digest,
    receiptDigest: digest,
    term: 1,
    ttlMs: 60_000,
    at: 1,
    notAfter: 2,
  };
  const lease = signEnvelope('application/vnd.ringfence.lease.v1+json', statement, [controlPlane.leases]);
  const body = { job: lease, label: lease, placement: SAMPLE_PLACEMENT, receipt: lease, lease, echo: 0 };
  return { name: 'lease', body: MESSAGES.lease.schema.parse(body) };
}

/** The same journal with some records changed (undefined drops one) and chained anew, as a forger with the folder would. */
function rewritten(
  records: readonly JournalRecord[],
  change: (record: JournalRecord) => JournalFields | undefined,
): JournalRecord[] {
  let head = EMPTY_JOURNAL;
  let text = '';
  for (const record of records) {
    const { seq: _, t, hash: __, hash_prev: ___, ...own } = record;
    const changed = change(record);
    if (changed === undefined) continue;
    const fields = changed === (record as object) ? (own as JournalFields) : changed;
    const appended = appendRecord(head, fields, t);
    head = appended.head;
    text += `${appended.line}\n`;
  }
  return readJournal(Buffer.from(text)).records;
}

function codes(report: WireReport): string[] {
  return [...new Set(report.problems.map(({ code }) => code))];
}

test('a journal proves every byte of three connections, and says what could have been smuggled', async (t) => {
  const { records, sessions, keys, controlPlane } = await recorded(t);
  const report = wireVerify({ records, sessions, keys });
  assert.deepEqual(report.problems, []);
  assert.ok(report.ok);
  assert.equal(report.records, records.length);
  assert.equal(report.connections.length, 3);
  const counted = report.messages.reduce((sum, { frames }) => sum + frames, 0);
  assert.equal(counted, records.filter(({ kind }) => kind === 'frame').length, 'every frame was decoded');
  // What the other end counted on its own, connection by connection; a cut may have swallowed the last frames.
  controlPlane.ends.forEach((end, index) => {
    const connection = report.connections[index];
    assert.ok(connection !== undefined && connection.closed);
    if (end.code === 'closed' && index === 0) assert.ok(end.bytesIn <= connection.out && end.bytesOut >= connection.in);
    else assert.deepEqual([end.bytesIn, end.bytesOut], [connection.out, connection.in]);
  });
  const { smuggling } = report;
  t.diagnostic(JSON.stringify({ job: smuggling.job, agent: smuggling.agent }));
  assert.ok(smuggling.signaturesFixed && smuggling.jobMeetsGoal);
  assert.ok(smuggling.job.perAttempt > 0 && smuggling.job.perAttempt <= 32);
  assert.ok(smuggling.agent.perAttempt > 0 && smuggling.agent.perAttempt <= 192, 'with the ack of its lease');
  const unsigned = wireVerify({ records, sessions, keys: { ...keys, signing: undefined } });
  assert.ok(unsigned.ok && !unsigned.smuggling.signaturesFixed);
  assert.ok(unsigned.smuggling.agent.perAttempt >= smuggling.agent.perAttempt + 252);
});

test('whatever is changed in a journal is found, even when it is chained anew', async (t) => {
  const { records, sessions, keys } = await recorded(t);
  const verify = (change: (record: JournalRecord) => JournalFields | undefined): string[] =>
    codes(wireVerify({ records: rewritten(records, change), sessions, keys }));
  const frame = (name: keyof typeof MESSAGES, dir: 'in' | 'out' = 'out') => {
    let found = false;
    return (record: JournalRecord): boolean => {
      const hit = !found && record.kind === 'frame' && record.dir === dir && record.number === MESSAGES[name].number;
      found ||= hit;
      return hit;
    };
  };
  const edit = (name: keyof typeof MESSAGES, fields: object, dir: 'in' | 'out' = 'out') => {
    const isIt = frame(name, dir);
    return verify((record) => {
      const { seq: _, t: __, hash: ___, hash_prev: ____, ...own } = record;
      return isIt(record) ? ({ ...own, ...fields } as JournalFields) : record;
    });
  };
  // Chained anew, every hello and acknowledgement names points that are no longer this journal's.
  assert.deepEqual(
    verify((record) => record),
    [],
    'rewriting alone changes nothing',
  );
  assert.ok(edit('heartbeat', { body: { attempts: [] } }).includes('wire'));
  assert.ok(edit('heartbeat', { wire: '0'.repeat(64) }).includes('wire'));
  assert.ok(edit('heartbeat', { n: 77 }).includes('sequence'));
  assert.ok(edit('heartbeat', { number: 0x7fff }).includes('unknown'));
  assert.ok(edit('heartbeat', { body: { note: 'x' } }).includes('schema'));
  assert.ok(edit('attempt-status', { mid: 9 }).includes('wire'));
  assert.ok(edit('attempt-status', { sig: undefined }).includes('signature-missing'));
  assert.ok(edit('attempt-status', { size: 2_048 }).includes('wire'));
  assert.ok(edit('renew', { body: { echo: 9, leases: [] } }, 'in').includes('wire'));
  const isBeat = frame('heartbeat');
  assert.ok(verify((record) => (isBeat(record) ? undefined : record)).includes('sequence'), 'a frame left out');
  assert.ok(verify((record) => (record.kind === 'accept' ? undefined : record)).includes('no-session-keys'));
  assert.ok(verify((record) => (record.kind === 'open' ? undefined : record)).includes('connection'));
  assert.ok(verify((record) => (record.kind === 'fact' ? undefined : record)).includes('not-queued'));
  const padded = verify((record) => {
    const { seq: _, t: __, hash: ___, hash_prev: ____, ...own } = record;
    return own.kind === 'disconnect' ? { ...own, in: own.in + 512 } : record;
  });
  assert.ok(padded.includes('bytes'));
});

test('foreign keys and missing sessions are found', async (t) => {
  const { records, sessions, keys } = await recorded(t);
  const other = newParty().key;
  assert.ok(
    codes(wireVerify({ records, sessions, keys: { ...keys, party: other.publicKey, signing: undefined } })).includes(
      'signature',
    ),
  );
  assert.ok(codes(wireVerify({ records, sessions, keys: { ...keys, root: other.publicKey } })).includes('keys'));
  assert.ok(codes(wireVerify({ records, sessions: new Map(), keys })).includes('no-session-keys'));
  const id = newId('controlPlane', systemRng);
  assert.ok(codes(wireVerify({ records, sessions, keys: { ...keys, controlPlane: id } })).includes('recipient'));
  const shuffled = new Map(
    [...sessions.keys()].map((conn, index, all) => [
      conn,
      sessions.get(all[(index + 1) % all.length] ?? '') ?? never(),
    ]),
  );
  assert.ok(codes(wireVerify({ records, sessions: shuffled, keys })).includes('wire'));
});

function never(): never {
  throw new Error('every connection has keys');
}
