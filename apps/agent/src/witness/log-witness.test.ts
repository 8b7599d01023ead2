import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock, newId, seededRng, silentLog, toBase64Url, utf8 } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import { NoteKey } from '@ringfence/crypto/note';
import { SigningKey } from '@ringfence/crypto/sign';
import {
  appendEntries,
  decodeBundle,
  edgeRoot,
  EMPTY_LOG,
  encodeBundle,
  entryBytes,
  formatVerifierKey,
  leafHash,
  offerOf,
  openCheckpoint,
  originOf,
  parseVerifierKey,
  signCheckpoint,
  trustInLog,
  verifierKey,
} from '@ringfence/ledger/tlog';
import { HeldLogs } from './held-logs.ts';
import { LogWitness } from './log-witness.ts';

const rng = seededRng('log witness');
const link = {
  agent: newId('agent', rng),
  org: newId('org', rng),
  custodian: newId('custodian', rng),
  controlPlane: { id: newId('controlPlane', rng) },
} as ConstructorParameters<typeof LogWitness>[0]['link'];
const origin = originOf(link.custodian, link.org, 1);
const noteKey = NoteKey.generate(rng);
const keyOf = (name: string): string => formatVerifierKey(verifierKey(name, 'note', noteKey.publicKey));
const logKey = keyOf(origin);
const NO_PROOF = { oldSize: 0, proof: [] };
const digest = (letter: string): string => letter.repeat(64);

/** A custodian's log of less than 256 entries, given out as the custodian does. */
class Log {
  entries: Uint8Array[] = [];
  /** What is given out in place of the entries beneath the tree. */
  shown: Uint8Array[] | undefined;
  readonly words: Parameters<CustodianClient['auditWord']>[0][] = [];
  origin = origin;
  /** What the keyring's head states when it is asked for anew; none that is accepted when undefined. */
  stated: number | undefined = 1;
  /** The epoch that was stated last. */
  known = 1;

  add(at: number, statements: string[] = []): this {
    const event = {
      v: 1,
      id: toBase64Url(rng.bytes(16)),
      at,
      org: link.org,
      actor: { kind: 'custodian', id: null },
    } as const;
    const more = {
      action: 'granted',
      outcome: 'done',
      reasons: [],
      objects: [link.agent],
      facts: {},
      subjects: [],
    } as const;
    this.entries.push(
      entryBytes(
        { ...event, ...more, reasons: [], objects: [link.agent], subjects: [], statements },
        this.entries.length,
      ),
    );
    return this;
  }

  audit: CustodianClient['audit'] = async () => {
    const { tree } = appendEntries(EMPTY_LOG, this.entries).edge;
    const name = this.origin;
    const head = { origin: name, size: tree.size, root: edgeRoot(tree), extensions: [] };
    const checkpoint = signCheckpoint(head, { name, key: noteKey });
    return { origin: name, key: keyOf(name), size: tree.size, checkpoint };
  };

  auditTile: CustodianClient['auditTile'] = async (level, _, width) =>
    level === 'entries'
      ? encodeBundle((this.shown ?? this.entries).slice(0, width))
      : Buffer.from(
          this.entries
            .slice(0, width)
            .map((entry) => leafHash(entry))
            .join(''),
          'latin1',
        );

  /** What comes of handing in, while the custodian is away or says no. */
  away: Error | undefined;

  auditWord: CustodianClient['auditWord'] = async (word) => {
    if (this.away !== undefined) throw this.away;
    this.words.push(word);
    return { size: 0 };
  };
}

interface Started {
  readonly witness: LogWitness;
  readonly held: HeldLogs;
  readonly path: string;
  readonly facts: string[];
  /** What comes of journaling, before it is done. */
  readonly journal: { fails?: Error };
  /** The witness of the process after this one. */
  readonly again: () => LogWitness;
}

function start(t: TestContext, log: Log): Started {
  const folder = mkdtempSync(join(tmpdir(), 'rf-witness-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'held-logs.json');
  const facts: string[] = [];
  const held = new HeldLogs(path);
  const journal: Started['journal'] = {};
  const record = async ({ name }: { name: string }): Promise<void> => {
    if (journal.fails !== undefined) throw journal.fails;
    facts.push(name);
  };
  const metrics = { logAccused: () => {} };
  const clock = new ManualClock();
  const epoch = { known: () => log.known, ask: async () => (log.known = log.stated ?? log.known) && log.stated };
  const key = SigningKey.generate(rng);
  const parts = { link, held, key, custodian: log, epoch, record, metrics, clock, log: silentLog };
  const again = (): LogWitness => new LogWitness({ ...parts, held: new HeldLogs(path) });
  return { witness: new LogWitness(parts), held, path, facts, journal, again };
}

test('a log that grows is kept durably and cosigned, and the cosignature handed in', async (t) => {
  const log = new Log().add(1);
  const { witness, path } = start(t, log);
  for (const size of [1, 2, 3, 7]) {
    while (log.entries.length < size) log.add(log.entries.length);
    await witness.look();
    assert.equal(new HeldLogs(path).of(origin)?.size, size, 'stored');
    const word = log.words.at(-1);
    assert.ok(word?.word === 'cosigned' && word.size === size);
    const witnesses = [parseVerifierKey(word.key) ?? assert.fail()];
    const opened = openCheckpoint(Buffer.from(word.checkpoint), {
      ...(trustInLog(logKey) ?? assert.fail()),
      witnesses,
    });
    assert.equal(opened.ok && opened.signed.verified.length, 2);
    assert.ok(decodeBundle(await log.auditTile('entries', 0, size), size));
  }
  await witness.look();
  assert.equal(log.words.length, 4, 'nothing new, nothing said');
});

for (const [fault, bend] of [
  ['rolled-back', (log: Log) => log.entries.splice(3)],
  ['forked', (log: Log) => log.entries.splice(2, 1, log.entries[0] ?? assert.fail())],
  ['rewritten', (log: Log) => log.add(9).entries.splice(2, 1, log.entries[0] ?? assert.fail())],
] as const)
  test(`a log that was ${fault} is accused once, in the journal and at the custodian, and not cosigned any more`, async (t) => {
    const log = new Log();
    for (let at = 0; at < 6; at += 1) log.add(at);
    const { witness, held, facts } = start(t, log);
    await witness.look();
    bend(log);
    await witness.look();
    assert.deepEqual(facts, ['log-accused']);
    const word = log.words.at(-1);
    assert.equal(word?.word === 'accuses' && word.accusation.fault, fault);
    assert.equal(held.accused, 1);
    log.add(10).add(11).add(12).add(13);
    await witness.look();
    assert.equal(log.words.length, 2);
  });

test('a grant that this agent journaled and the log leaves out is found, with the index before which it belongs', async (t) => {
  const log = new Log().add(0);
  const { witness, facts } = start(t, log);
  await witness.look();
  const granted = (letter: string): void => witness.note({ name: 'granted', body: { grant: digest(letter) } });
  granted('a');
  log.add(1_000, [digest('a')]);
  await witness.look();
  // Read before it was journaled: no accusation.
  log.add(2_000, [digest('c')]);
  await witness.look();
  granted('c');
  granted('b');
  const at = new ManualClock().now();
  log.add(at + 30_000);
  await witness.look();
  assert.deepEqual(facts, [], 'it may still come');
  log.add(at + 90_000);
  await witness.look();
  assert.deepEqual(facts, ['log-accused']);
  const word = log.words.find((said) => said.word === 'accuses');
  assert.ok(word?.word === 'accuses' && word.accusation.fault === 'omitted');
  assert.deepEqual(word.accusation.statements, [digest('b')]);
});

test('entries that are not those of the signed tree count for nothing: a grant in them was not logged', async (t) => {
  const log = new Log().add(0);
  const { witness, held, facts } = start(t, log);
  await witness.look();
  witness.note({ name: 'granted', body: { grant: digest('a') } });
  const at = new ManualClock().now();
  const forged = new Log()
    .add(0)
    .add(at, [digest('a')])
    .add(at + 90_000).entries;
  log.add(at).add(at + 90_000);
  log.shown = [...log.entries.slice(0, 1), ...forged.slice(1)];
  await witness.look();
  assert.equal(held.of(origin)?.size, 3, 'the tree is an honest one');
  assert.equal(held.of(origin)?.read, 1, 'its entries were not read');
  log.shown = undefined;
  await witness.look();
  assert.deepEqual(facts, ['log-accused']);
  const word = log.words.at(-1);
  assert.deepEqual(word?.word === 'accuses' && word.accusation.statements, [digest('a')]);
});

const accused = (log: Log): string[] =>
  log.words.flatMap((word) => (word.word === 'accuses' ? [`${word.accusation.fault} ${word.accusation.origin}`] : []));
const cosigned = (log: Log): number => log.words.filter(({ word }) => word === 'cosigned').length;

test('a log of a higher epoch is cosigned only when the signed keyring states that epoch, and an accusation else', async (t) => {
  const second = originOf(link.custodian, link.org, 2);
  const log = new Log().add(1).add(2);
  const { witness, held, path, facts } = start(t, log);
  await witness.look();
  const old = held.of(origin);
  log.entries.splice(1);
  log.origin = second;
  await witness.look();
  await witness.look();
  assert.deepEqual(accused(log), [`unstated-epoch ${second}`], 'once');
  assert.deepEqual(facts, ['log-accused']);
  const word = log.words.at(-1);
  assert.ok(word?.word === 'accuses');
  assert.equal(word.accusation.held, old?.note, 'what it would get away from');
  assert.ok(word.accusation.offered?.startsWith(`${second}\n`));
  assert.equal(cosigned(log), 1);
  assert.deepEqual(new HeldLogs(path).of(origin), old, 'the old history is held still');
  // Stated too late: it was signed when nothing stated it.
  log.stated = 2;
  await witness.look();
  assert.equal(cosigned(log), 1);
});

test('a restore whose epoch the keyring states begins a log beside the old one, and going back is an accusation', async (t) => {
  const third = originOf(link.custodian, link.org, 3);
  const log = new Log().add(1).add(2);
  const { witness, held, facts } = start(t, log);
  await witness.look();
  log.origin = third;
  log.entries.splice(1);
  log.stated = undefined;
  await witness.look();
  assert.deepEqual([cosigned(log), accused(log)], [1, []], 'a head that is not accepted tells nothing');
  log.stated = 3;
  await witness.look();
  assert.deepEqual([cosigned(log), accused(log), facts], [2, [], []]);
  assert.equal(held.of(origin)?.size, 2);
  for (const [at, epoch] of [2, 1].entries()) {
    log.origin = originOf(link.custodian, link.org, epoch);
    await witness.look();
    await witness.look();
    assert.equal(accused(log)[at], `old-epoch ${log.origin}`);
  }
  assert.equal(accused(log).length, 2);
  log.origin = third;
  log.add(5);
  await witness.look();
  assert.equal(cosigned(log), 3, 'the log that is stated goes on');
});

test('a custodian that shows ever new epochs is accused so many times, and fills nothing', async (t) => {
  const log = new Log().add(1);
  const { witness, held, facts } = start(t, log);
  for (let epoch = 2; epoch < 40; epoch += 1) {
    log.origin = epoch === 2 ? `${origin}/again` : originOf(link.custodian, link.org, epoch);
    await witness.look();
  }
  assert.equal(facts.length, 16);
  assert.equal(held.accused, 16);
  assert.equal(cosigned(log), 0);
});

test('a control plane that was restored from an old backup is accused, and what it logs from then on is never cosigned', async (t) => {
  const { witness, held } = start(t, new Log());
  const name = originOf(link.controlPlane.id, link.org, 1);
  const noteOf = (entries: readonly string[]): Parameters<LogWitness['take']>[0] => {
    const { tree } = appendEntries(EMPTY_LOG, entries.map(utf8)).edge;
    const head = { origin: name, size: tree.size, root: edgeRoot(tree), extensions: [] };
    return offerOf(signCheckpoint(head, { name, key: noteKey }), { name, publicKey: noteKey.publicKey }, NO_PROOF);
  };
  const untold = () => held.untold;
  witness.take(noteOf(['a', 'b', 'c', 'd', 'e']));
  assert.deepEqual(untold(), []);
  witness.take(noteOf(['a', 'b', 'c']));
  const { fault, index, until } = untold()[0]?.accusation ?? assert.fail();
  assert.deepEqual([fault, index, until], ['rolled-back', 3, 5]);
  const { note } = held.of(name) ?? assert.fail();
  for (const more of [
    ['x', 'y'],
    ['x', 'y', 'z'],
  ])
    witness.take(noteOf(['a', 'b', 'c', ...more]));
  assert.equal(untold().length, 1);
  const kept = held.of(name);
  assert.deepEqual([kept?.size, kept?.note, kept?.accused], [5, note, true], 'the old head is held still');
});

test('what a witness found is told after a restart, to the journal and to a custodian that was away', async (t) => {
  const log = new Log().add(1).add(2).add(3);
  const { witness, path, facts, journal, again } = start(t, log);
  await witness.look();
  const asBefore = readFileSync(path, 'utf8');
  assert.ok(!asBefore.includes('untold'), 'as releases before this wrote it');
  log.entries.splice(1);
  journal.fails = new Error('no space left');
  log.away = new Error('away');
  await witness.look();
  assert.deepEqual([facts, accused(log)], [[], []]);
  delete journal.fails;
  await again().look();
  await again().look();
  assert.deepEqual([facts, accused(log)], [['log-accused'], []], 'journaled once');
  log.away = new ApiRefusal(400, 'bad-request', 'no');
  await again().look();
  log.away = undefined;
  await again().look();
  await again().look();
  assert.deepEqual([facts, accused(log)], [['log-accused'], [`rolled-back ${origin}`]], 'told once');
  assert.deepEqual(new HeldLogs(path).untold, []);
  assert.equal(new HeldLogs(path).accused, 1);
});
