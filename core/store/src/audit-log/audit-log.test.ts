import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  firstDivergence,
  formatVerifierKey,
  leafHash,
  openCheckpoint,
  readAuditEntry,
  splitBundle,
  TileNodes,
  tilesOfTree,
  TreeView,
  verifyConsistency,
  verifyInclusion,
} from '@ringfence/ledger/tlog';
import { RecordKey } from '@ringfence/crypto/record';
import { newId, systemRng } from '@ringfence/base';
import { AuditDatabase } from './audit-log.fixture.ts';
import { forgetSubject, openSealedSubject, sealSubjects } from './subjects.ts';
import type { Advance, AppendStep, SignedHead } from './sequencer.ts';

function appended(done: Advance): SignedHead {
  assert.equal(done.kind, 'appended');
  return done.kind === 'appended' ? done.head : assert.fail();
}

type FirstFault = (held?: readonly SignedHead[]) => Promise<unknown>;

describe('a log in the database', () => {
  let log: AuditDatabase;
  before(async () => {
    log = await AuditDatabase.open();
  });
  after(() => log.close());

  test('events become entries in their order, and each batch a signed head that contains the one before', async () => {
    const sequencer = log.sequencer({ batch: 500 });
    assert.deepEqual(await sequencer.advance(log.org), { kind: 'idle', size: 0 });
    const heads: SignedHead[] = [];
    for (const count of [1, 254, 1, 1, 700]) {
      await log.addEvents(count);
      for (let more = true; more;) {
        const done = await sequencer.advance(log.org);
        heads.push(appended(done));
        more = done.kind === 'appended' && done.more;
      }
    }
    assert.deepEqual(
      heads.map(({ size }) => size),
      [1, 255, 256, 257, 757, 957],
    );
    const last = heads.at(-1) ?? assert.fail();
    for (const head of heads)
      assert.ok(verifyConsistency(head, last, await log.served.proveConsistency(log.org, head.size, last.size)));
    for (const index of [0, 255, 256, 700, 956]) {
      const first = Math.floor(index / 256);
      const width = Math.min(256, last.size - first * 256);
      const bundle = await log.served.tile(log.org, { level: 'entries', index: first, width });
      const entry = splitBundle(bundle ?? assert.fail())?.[index % 256] ?? assert.fail();
      assert.equal(readAuditEntry(entry)?.facts['count'], index);
      const proof = await log.served.proveInclusion(log.org, index, last.size);
      assert.ok(verifyInclusion({ index, size: last.size, leaf: leafHash(entry), root: last.root }, proof));
    }
    assert.ok((await log.verify(heads.map(({ note }) => note))).ok);
  });

  test('whoever begins a newer term stops the older one, and a process that starts again goes on from the rows', async () => {
    const [older, newer] = [log.sequencer(), log.sequencer()];
    await log.addEvents(3);
    appended(await older.advance(log.org));
    await log.addEvents(3);
    const head = appended(await newer.advance(log.org));
    await log.addEvents(3);
    assert.equal((await older.advance(log.org)).kind, 'superseded');
    const after = await log.served.head(log.org);
    assert.equal(after?.size, head.size, 'the older one has written nothing');
    const { origin, logKeys } = log.trust;
    const key = formatVerifierKey(logKeys[0] ?? assert.fail('the log has a key'));
    assert.deepEqual(await log.served.shown(log.org), { origin, key, size: head.size, checkpoint: after?.note });
    const { size, checkpoint } = await log.served.shown(newId('org', systemRng));
    assert.deepEqual([size, checkpoint], [0, null], 'before its first entry');
    // It claims a term again, and the other is the older one now.
    assert.equal(appended(await older.advance(log.org)).size, head.size + 3);
    await log.addEvents(1);
    assert.equal((await newer.advance(log.org)).kind, 'superseded');
    // A claim alone is enough, though nothing was appended in it and the sizes agree.
    const newest = log.sequencer();
    assert.equal((await log.sequencer().advance(log.org)).kind, 'appended');
    assert.equal((await older.advance(log.org)).kind, 'superseded');
    assert.equal((await older.advance(log.org)).kind, 'idle');
    assert.equal((await newest.advance(log.org)).kind, 'idle');
    await log.addEvents(1);
    assert.equal((await older.advance(log.org)).kind, 'superseded');
    assert.equal((await newest.advance(log.org)).kind, 'appended');
    assert.ok((await log.verify([head.note])).ok);
    await log.addEvents(1);
  });

  test('many at once append each event once', async () => {
    const before = (await log.served.head(log.org))?.size ?? 0;
    const sequencers = Array.from({ length: 8 }, () => log.sequencer({ batch: 7 }));
    await log.addEvents(200);
    const heads = new Map<number, string>();
    for (let round = 0; ((await log.served.head(log.org))?.size ?? 0) < before + 201 && round < 200; round += 1)
      for (const done of await Promise.all(sequencers.map((each) => each.advance(log.org)))) {
        if (done.kind !== 'appended') continue;
        assert.equal(heads.get(done.head.size) ?? done.head.note, done.head.note, 'two histories of one size');
        heads.set(done.head.size, done.head.note);
      }
    assert.equal((await log.served.head(log.org))?.size, before + 201);
    assert.ok((await log.verify([...heads.values()])).ok);
  });

  test('a process that dies at any step leaves a log that the next one goes on with', async () => {
    const steps: AppendStep[] = [
      'audit-before-append',
      'audit-before-commit',
      'audit-after-commit',
      'audit-before-sign',
    ];
    for (const step of steps) {
      await log.addEvents(5);
      const dying = log.sequencer({
        fault: (at) => {
          if (at === step) throw new Error('dead');
        },
      });
      await assert.rejects(dying.advance(log.org), /dead/);
      const size = (await log.served.head(log.org))?.size ?? 0;
      const done = await log.sequencer().advance(log.org);
      const stored = step === 'audit-after-commit' || step === 'audit-before-sign';
      assert.equal(done.kind, stored ? 'idle' : 'appended', step);
      assert.equal((await log.served.head(log.org))?.size, stored ? size : size + 5);
      assert.ok((await log.verify()).ok);
    }
  });
});

describe('a log that somebody bends in the database', () => {
  const SIZE = 600;
  let database: AuditDatabase;
  before(async () => {
    database = await AuditDatabase.open();
  });
  after(() => database.close());

  /** A fresh log of 600 entries, and its head as a witness keeps it. */
  async function fresh(): Promise<{ log: AuditDatabase; head: SignedHead; firstFault: FirstFault }> {
    const log = await database.another();
    await log.addEvents(SIZE);
    const head = appended(await log.sequencer().advance(log.org));
    const found = async (held: readonly SignedHead[] = [head]): Promise<unknown> => {
      const verdict = await log.verify([], held);
      return verdict.ok ? 'nothing found' : verdict.faults[0];
    };
    return { log, head, firstFault: found };
  }

  /** All tiles of hashes as they are served now. */
  async function viewOf(log: AuditDatabase): Promise<TreeView> {
    const nodes = new TileNodes();
    for (const tile of tilesOfTree(SIZE)) nodes.add(tile, (await log.served.tile(log.org, tile)) ?? assert.fail());
    return new TreeView(nodes, SIZE);
  }

  const recount = `bytes = convert_to(replace(convert_from(bytes, 'UTF8'), '"count":300', '"count":999'), 'UTF8')`;
  for (const [code, index, statements] of [
    ['changed', 300, [`update audit_entry set ${recount} where MINE and seq = 300`]],
    ['deleted', 290, ['delete from audit_entry where MINE and seq = 290']],
    [
      'inserted',
      513,
      [
        'update audit_entry set seq = seq + 100000 where MINE and seq >= 513',
        'insert into audit_entry select org, 513, bytes from audit_entry where MINE and seq = 12',
        'update audit_entry set seq = seq - 99999 where MINE and seq >= 100000',
        'delete from audit_entry where MINE and seq = 600',
      ],
    ],
    [
      'reordered',
      130,
      [
        'update audit_entry set seq = 1000000 where MINE and seq = 130',
        'update audit_entry set seq = 130 where MINE and seq = 131',
        'update audit_entry set seq = 131 where MINE and seq = 1000000',
      ],
    ],
  ] as const)
    test(`${code}: the export names entry ${index}`, async () => {
      const { log, firstFault } = await fresh();
      assert.equal(await firstFault(), 'nothing found');
      await log.bend(...statements);
      assert.deepEqual(await firstFault(), { code, index, until: index + 1 });
    });

  test('a damaged log is not appended to', async () => {
    const { log } = await fresh();
    await log.bend(`update audit_entry set bytes = bytes || ' ' where MINE and seq = 599`);
    await log.addEvents(1);
    await assert.rejects(log.sequencer().advance(log.org), { code: 'query-failed' });
  });

  test('rolled back, with a head that fits: whoever holds a later head finds it', async () => {
    const { log, firstFault } = await fresh();
    await log.bend(...UNMADE, 'delete from event where MINE and seq > 400');
    appended(await log.sequencer().advance(log.org));
    assert.deepEqual(await firstFault(), { code: 'rolled-back', index: 400, until: 600 });
    assert.equal(await firstFault([]), 'nothing found', 'without a witness nobody can tell');
  });

  test('forked by who has the key: a held head convicts, and the tiles of both name the first other entry', async () => {
    const { log, head, firstFault } = await fresh();
    const kept = await viewOf(log);
    const recounted = `body = convert_to(replace(convert_from(body, 'UTF8'), '"count":321', '"count":123'), 'UTF8')`;
    await log.bend(...UNMADE, `update event set ${recounted} where MINE and seq = 322`);
    const other = appended(await log.sequencer().advance(log.org));
    assert.equal(other.size, head.size);
    assert.ok(openCheckpoint(Buffer.from(other.note), log.trust).ok, 'the log itself signed it');
    assert.deepEqual(await firstFault(), { code: 'forked', index: 0, until: 600 });
    assert.equal(firstDivergence(kept, await viewOf(log)), 321);
  });
});

/** All that was logged is gone, and is logged anew. */
const UNMADE = ['audit_entry', 'audit_tile', 'audit_log'].map((table) => `delete from ${table} where MINE`);

test('what an entry says of a person opens until the person is forgotten, and the log stays as it is', async () => {
  const log = await AuditDatabase.open();
  try {
    const seal = { records: RecordKey.generate(systemRng), rng: systemRng };
    const told = [{ subject: 'mem_zoe', fields: { address: '203.0.113.7' } }];
    const audit = await log.store.withOrg(log.org, (tx) => sealSubjects(tx, log.org, told, seal));
    const again = await log.store.withOrg(log.org, (tx) => sealSubjects(tx, log.org, told, seal));
    assert.equal(again.subjects[0]?.handle, audit.subjects[0]?.handle, 'one key a person');
    await log.addEvents(1, audit);
    const { note } = appended(await log.sequencer().advance(log.org));
    const open = (): Promise<unknown> =>
      log.store.withOrg(log.org, (tx) =>
        openSealedSubject(tx, log.org, { entry: audit.id, sealed: audit.subjects[0] ?? assert.fail() }, seal.records),
      );
    assert.deepEqual(await open(), told[0]);
    assert.ok(await log.store.withOrg(log.org, (tx) => forgetSubject(tx, log.org, 'mem_zoe')));
    assert.equal(await open(), undefined);
    assert.equal(await log.store.withOrg(log.org, (tx) => forgetSubject(tx, log.org, 'mem_zoe')), false);
    assert.ok((await log.verify([note])).ok);
  } finally {
    await log.close();
  }
});
