import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, utf8 } from '@ringfence/base';
import { cpuMs } from '@ringfence/base/cpu-time';
import fc from 'fast-check';
import { ORIGIN, SampleLog, TRUST } from '../sample-log.fixture.ts';
import { parseSize } from '../tree/decimal-size.ts';
import { encodeBundle } from '../tree/entry-bundle.ts';
import { hashFromBytes } from '../tree/merkle-hash.ts';
import { tilePath, tilesOfTree } from '../tree/tile-coordinate.ts';
import { firstDivergence } from '../tree/tree-divergence.ts';
import { formatExportRecord, parseExportRecord, type ExportRecord } from './log-export.ts';
import type { LogVerdict, TamperFault } from './log-verdict.ts';
import { LogVerifier, type LogVerifierOptions } from './log-verifier.ts';

const SIZE = 1000;
const SIGNED_SIZES = [1, 300, 700, SIZE];

const entryOf = (seq: number, text = 'a'): Uint8Array => utf8(`${seq} ${text}`);
const claimOf = (entry: Uint8Array): number | undefined => parseSize(fromUtf8(entry).split(' ', 1)[0] ?? '');
const honest = Array.from({ length: SIZE }, (_, seq) => entryOf(seq));

function notesOf(entries: readonly Uint8Array[], sizes = SIGNED_SIZES): string[] {
  return sizes.map((size) => new SampleLog(entries.slice(0, size)).checkpoint());
}

function tileRecords(log: SampleLog): ExportRecord[] {
  const stored = new Map(log.stored.map(({ tile, bytes }) => [tilePath(tile), bytes]));
  return [...tilesOfTree(log.edge.tree.size)].map((tile) => {
    return { kind: 'tile', tile, bytes: stored.get(tilePath(tile)) ?? assert.fail(tilePath(tile)) };
  });
}

function bundleRecords(entries: readonly Uint8Array[]): ExportRecord[] {
  return Array.from({ length: Math.ceil(entries.length / 256) }, (_, index) => {
    const part = entries.slice(index * 256, index * 256 + 256);
    return { kind: 'tile', tile: { level: 'entries', index, width: part.length }, bytes: encodeBundle(part) };
  });
}

const HONEST_NOTES = notesOf(honest);
const HONEST_TILES = tileRecords(new SampleLog(honest));

interface Parts {
  readonly notes?: readonly string[];
  readonly tiles?: readonly ExportRecord[];
  readonly entries?: readonly Uint8Array[];
}

function recordsOf({ notes = HONEST_NOTES, tiles = HONEST_TILES, entries = honest }: Parts): ExportRecord[] {
  const checkpoints = notes.map((note): ExportRecord => ({ kind: 'checkpoint', note }));
  return [{ kind: 'header', origin: ORIGIN }, ...checkpoints, ...tiles, ...bundleRecords(entries)];
}

function verdict(
  records: readonly (ExportRecord | undefined)[],
  options: Partial<LogVerifierOptions> = {},
): LogVerdict {
  const verifier = new LogVerifier({ trust: TRUST, claimOf, ...options });
  for (const record of records) verifier.take(record);
  return verifier.end();
}

function first(records: readonly (ExportRecord | undefined)[], options: Partial<LogVerifierOptions> = {}): TamperFault {
  const result = verdict(records, options);
  assert.ok(!result.ok);
  const [fault] = result.faults;
  assert.ok(fault !== undefined && 'index' in fault, JSON.stringify(result.faults));
  return fault;
}

function codes(records: readonly (ExportRecord | undefined)[], options: Partial<LogVerifierOptions> = {}): string[] {
  const result = verdict(records, options);
  return result.ok ? [] : result.faults.map(({ code }) => code);
}

/** The four ways to bend entries at an index, none of which numbers the rest anew. */
const TAMPERS = {
  changed: (at: number): Uint8Array[] => honest.with(at, entryOf(at, 'b')),
  deleted: (at: number): Uint8Array[] => honest.toSpliced(at, 1),
  inserted: (at: number): Uint8Array[] => honest.toSpliced(at, 0, entryOf(at, 'b')),
  reordered: (at: number): Uint8Array[] =>
    honest.with(at, honest[at + 1] ?? assert.fail()).with(at + 1, honest[at] ?? assert.fail()),
};
const tamper = fc.tuple(
  fc.constantFrom(...(Object.keys(TAMPERS) as (keyof typeof TAMPERS)[])),
  fc.nat({ max: SIZE - 2 }),
);

test('an honest export verifies, with and without tiles, claims and held heads', () => {
  const head = new SampleLog(honest.slice(0, 444)).view;
  const held = [{ size: 444, root: head.root() }];
  for (const parts of [{}, { tiles: [] }])
    for (const options of [{}, { claimOf: undefined }, { held }]) {
      const result = verdict(recordsOf(parts), options);
      assert.ok(result.ok, JSON.stringify(result));
      assert.deepEqual([result.entries, result.signed.checkpoint.size], [SIZE, SIZE]);
    }
  assert.ok(verdict(recordsOf({ notes: notesOf([], [0]), tiles: [], entries: [] })).ok);
});

test('entries bent beneath signed hashes: how, and at which index', () => {
  fc.assert(
    fc.property(tamper, ([kind, at]) => {
      const entries = TAMPERS[kind](at);
      assert.deepEqual(first(recordsOf({ entries })), { code: kind, index: at, until: at + 1 });
      assert.deepEqual(codes(recordsOf({ entries })), [kind], 'and nothing else');
      assert.deepEqual(first(recordsOf({ entries }), { claimOf: undefined }), { code: kind, index: at, until: at + 1 });
    }),
    { numRuns: 60 },
  );
});

test('entries and tiles bent together, by somebody without the key: the index where entries tell, else between checkpoints', () => {
  fc.assert(
    fc.property(tamper, ([kind, at]) => {
      const entries = TAMPERS[kind](at);
      const [from, to] = [
        Math.max(0, ...SIGNED_SIZES.filter((size) => size <= at)),
        SIGNED_SIZES.find((size) => size > at),
      ];
      const bracket = { index: from, until: to };
      for (const tiles of [tileRecords(new SampleLog(entries)), []]) {
        const told = first(recordsOf({ entries, tiles }));
        if (kind === 'changed') assert.deepEqual(told, { code: 'rewritten', ...bracket });
        else if (kind !== 'inserted') assert.deepEqual(told, { code: kind, index: at, until: at + 1 });
        // A number twice in a row may be wrong in either place, unless a checkpoint lies between them.
        else assert.ok(told.index <= at && at < told.until && told.until <= at + 2, JSON.stringify(told));
        const untold = first(recordsOf({ entries, tiles }), { claimOf: undefined });
        assert.ok(untold.index <= at && at < untold.until, JSON.stringify(untold));
        assert.ok(untold.until <= Math.max(to ?? 0, entries.length + 1));
      }
    }),
    { numRuns: 60 },
  );
});

test('numbered anew, entries tell nothing: then between two checkpoints', () => {
  const entries = honest.toSpliced(512, 1).map((_, seq) => entryOf(seq, seq < 512 ? 'a' : 'b'));
  const found = first(recordsOf({ entries, tiles: tileRecords(new SampleLog(entries)) }));
  assert.deepEqual(found, { code: 'rewritten', index: 300, until: 700 });
});

test('cut off at the end, and gone on with behind what was signed', () => {
  assert.deepEqual(first(recordsOf({ entries: honest.slice(0, 900) })), { code: 'deleted', index: 900, until: 901 });
  assert.deepEqual(first(recordsOf({ entries: honest.slice(0, 900), tiles: [] })), {
    code: 'deleted',
    index: 900,
    until: 901,
  });
  const blind = first(recordsOf({ entries: honest.slice(0, 900), tiles: [] }), { claimOf: undefined });
  assert.deepEqual(blind, { code: 'deleted', index: 700, until: 901 });
  const entries = [...honest, entryOf(SIZE)];
  assert.deepEqual(first(recordsOf({ entries })), { code: 'inserted', index: SIZE, until: SIZE + 1 });
  for (const options of [{}, { claimOf: undefined }])
    assert.deepEqual(first(recordsOf({ entries, tiles: [] }), options), {
      code: 'inserted',
      index: SIZE,
      until: SIZE + 1,
    });
});

test('whoever has the key signs another history: a held head tells, and two histories name their first difference', () => {
  fc.assert(
    fc.property(fc.nat({ max: SIZE - 1 }), fc.integer({ min: 1, max: SIZE }), (at, heldSize) => {
      const entries = TAMPERS.changed(at);
      const log = new SampleLog(entries);
      const records = recordsOf({ entries, notes: notesOf(entries), tiles: tileRecords(log) });
      assert.ok(verdict(records).ok, 'alone it looks honest');
      const truth = new SampleLog(honest);
      const held = [{ size: heldSize, root: truth.view.rootAt(heldSize) }];
      if (heldSize <= at) assert.ok(verdict(records, { held }).ok);
      else assert.deepEqual(first(records, { held }), { code: 'forked', index: 0, until: heldSize });
      const earlier = { size: Math.min(at, heldSize), root: truth.view.rootAt(Math.min(at, heldSize)) };
      if (heldSize > at)
        assert.deepEqual(first(records, { held: [...held, earlier] }), { code: 'forked', index: at, until: heldSize });
      assert.equal(firstDivergence(truth.view, log.view), at);
      assert.equal(firstDivergence(log.view, truth.view), at);
    }),
    { numRuns: 25 },
  );
});

test('where one history is the beginning of the other they differ from its end on', () => {
  const [short, long] = [new SampleLog(honest.slice(0, 600)), new SampleLog(honest)];
  assert.equal(firstDivergence(short.view, long.view), 600);
  assert.equal(firstDivergence(long.view, short.view), 600);
  assert.equal(firstDivergence(long.view, new SampleLog(honest).view), undefined);
  assert.equal(firstDivergence(new SampleLog().view, long.view), 0);
});

test('two signed histories in one export are a fork, before the size of the one that does not fit', () => {
  const other = notesOf(TAMPERS.changed(512), [600]);
  for (const tiles of [HONEST_TILES, []])
    assert.deepEqual(first(recordsOf({ tiles, notes: [...HONEST_NOTES, ...other] })), {
      code: 'forked',
      index: 0,
      until: 600,
    });
  const again = notesOf(TAMPERS.changed(0), [SIZE]);
  assert.deepEqual(first(recordsOf({ notes: [...HONEST_NOTES, ...again] })), {
    code: 'forked',
    index: 0,
    until: SIZE,
  });
});

test('a log rolled back behind a held head is found, with the index', () => {
  const entries = honest.slice(0, 700);
  const records = recordsOf({ entries, notes: HONEST_NOTES.slice(0, 3), tiles: tileRecords(new SampleLog(entries)) });
  const held = [{ size: SIZE, root: new SampleLog(honest).view.root() }];
  assert.deepEqual(first(records, { held }), { code: 'rolled-back', index: 700, until: SIZE });
});

test('damaged tiles: the entries that they cover, and no others', () => {
  const damage = (path: string): ExportRecord[] =>
    HONEST_TILES.map((record) => {
      if (record.kind !== 'tile' || tilePath(record.tile) !== path) return record;
      return { ...record, bytes: Buffer.from(record.bytes).fill(0, 0, 32) };
    });
  assert.deepEqual(verdict(recordsOf({ tiles: damage('tile/0/001') })), {
    ok: false,
    faults: [{ code: 'damaged-tile', index: 256, until: 512 }],
  });
  // Without a right edge that fits the root no tile is believed, and the entries speak for themselves.
  assert.ok(verdict(recordsOf({ tiles: damage('tile/1/000.p/3') })).ok);
  const missing = HONEST_TILES.filter((record) => record.kind === 'tile' && tilePath(record.tile) !== 'tile/0/002');
  assert.deepEqual(first(recordsOf({ tiles: missing })), { code: 'damaged-tile', index: 512, until: 768 });
});

test('a log may sign any size: verifying takes no longer than the export is long', () => {
  const size = Number.MAX_SAFE_INTEGER;
  const note = new SampleLog(honest).checkpoint({ size });
  const from = cpuMs();
  for (const tiles of [HONEST_TILES, []]) {
    assert.deepEqual(first(recordsOf({ tiles, notes: [note] })), { code: 'deleted', index: SIZE, until: SIZE + 1 });
    const gap = first(recordsOf({ tiles, notes: [note], entries: honest.toSpliced(500, 3) }));
    assert.deepEqual(gap, { code: 'deleted', index: 500, until: 501 });
  }
  // A tree of 2^48 entries has a right edge of one hash.
  const top: ExportRecord = { kind: 'tile', tile: { level: 6, index: 0, width: 1 }, bytes: Buffer.alloc(32) };
  const root = hashFromBytes(Buffer.alloc(32));
  const huge = new SampleLog(honest).checkpoint({ size: 2 ** 48, ...(root === undefined ? {} : { root }) });
  assert.equal(first(recordsOf({ tiles: [top], notes: [huge] })).code, 'deleted');
  assert.ok(cpuMs() - from < 5000);
});

test('an entry that the log signed under another number is malformed, at its index', () => {
  const entries = honest.with(77, entryOf(78));
  const records = recordsOf({ entries, notes: notesOf(entries), tiles: tileRecords(new SampleLog(entries)) });
  assert.deepEqual(first(records), { code: 'malformed-entry', index: 77, until: 78 });
});

test('exports that are none: order, origin, signatures, bundles that are cut off', () => {
  const records = recordsOf({});
  assert.deepEqual(codes([]), ['no-checkpoint']);
  assert.deepEqual(codes(records.slice(1)), ['malformed']);
  assert.deepEqual(codes([{ kind: 'header', origin: 'other.example' }, ...records.slice(1)]), ['malformed']);
  assert.deepEqual(codes([...records, undefined]), ['malformed']);
  assert.deepEqual(codes([...records, { kind: 'checkpoint', note: HONEST_NOTES[0] ?? '' }]), ['malformed']);
  const forged = HONEST_NOTES.map((note) => note.replace('\n1000\n', '\n1001\n'));
  assert.ok(codes(recordsOf({ notes: forged })).includes('checkpoint-bad-signature'));
  const cut = records.map((record) =>
    record.kind === 'tile' && tilePath(record.tile) === 'tile/entries/001'
      ? { ...record, bytes: record.bytes.subarray(1) }
      : record,
  );
  assert.ok(codes(cut).includes('malformed-entry'));
  assert.equal(first(cut).index, 256);
});

test('lines of an export are read as they were written, and mean the same', () => {
  const records = recordsOf({});
  const lines = records.map(formatExportRecord);
  assert.ok(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1));
  const read = lines.map((line) => parseExportRecord(line.slice(0, -1)));
  assert.deepEqual(
    read.map((record) => record && formatExportRecord(record)),
    lines,
  );
  assert.ok(verdict(read).ok);
  for (const line of [
    '',
    '{}',
    '{"data":"A","tile":"tile/0/000"}',
    '{"data":"","tile":"tile/0/0"}',
    '[1]',
    '{"checkpoint":1}',
  ])
    assert.equal(parseExportRecord(line), undefined, line);
});
