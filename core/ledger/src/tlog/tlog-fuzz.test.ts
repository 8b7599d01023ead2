import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { seededRng, toHex, utf8 } from '@ringfence/base';
import { cpuMs } from '@ringfence/base/cpu-time';
import { RecordKey } from '@ringfence/crypto/record';
import fc from 'fast-check';
import { entryBytes, readAuditEntry } from './entry/audit-entry.ts';
import { newSubjectHandle, sealSubject } from './entry/audit-subject.ts';
import { formatExportRecord, parseExportRecord } from './export/log-export.ts';
import { openNote } from './note/open-note.ts';
import { formatNote, parseNote } from './note/signed-note.ts';
import { formatTlogProof, parseTlogProof } from './note/tlog-proof.ts';
import { formatCheckpoint, parseCheckpoint } from './note/tree-checkpoint.ts';
import { formatVerifierKey, parseVerifierKey } from './note/verifier-key.ts';
import { sampleEntries, SampleLog, TRUST } from './sample-log.fixture.ts';
import { encodeBundle, splitBundle } from './tree/entry-bundle.ts';
import { parseTilePath, tilePath } from './tree/tile-coordinate.ts';
import { formatAddCheckpoint, parseAddCheckpoint } from './witness/add-checkpoint.ts';

const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;
const seed = Number(process.env['RINGFENCE_FUZZ_SEED'] ?? randomInt(1, 2 ** 31));

const log = new SampleLog(sampleEntries(300));
const note = log.checkpoint();
const proof = { index: 7, proof: log.view.proveInclusion(7), checkpoint: note, extra: Buffer.from('extra') };
const rng = seededRng('fuzz');
const id = newSubjectHandle(rng);
const entry = entryBytes(
  {
    v: 1,
    id,
    at: 1,
    org: null,
    actor: { kind: 'stranger', id: null },
    action: 'session.refuse',
    outcome: 'refused',
    reasons: ['no-account'],
    objects: [],
    statements: ['ab'.repeat(32)],
    facts: { attempts: 3, known: false },
    subjects: [sealSubject(RecordKey.generate(rng), { entry: id, handle: id }, { address: '203.0.113.7' }, rng)],
  },
  9,
);
const bundle = encodeBundle(sampleEntries(5));
const tileLine = formatExportRecord({ kind: 'tile', tile: { level: 'entries', index: 0, width: 5 }, bytes: bundle });
const [key] = TRUST.logKeys;
assert.ok(key !== undefined);

/** Reads bytes and writes again what was read; undefined where they were refused. */
type Rewrite = (bytes: Uint8Array) => Uint8Array | undefined;

const text = (rewrite: (text: string) => string | undefined): Rewrite => {
  return (bytes) => {
    const read = Buffer.from(bytes).toString();
    const written = Buffer.from(read).equals(bytes) ? rewrite(read) : undefined;
    return written === undefined ? undefined : utf8(written);
  };
};
const then = <T>(value: T | undefined, write: (value: T) => string): Uint8Array | undefined =>
  value === undefined ? undefined : utf8(write(value));

/** A valid sample of each format and its parser; what a parser takes has one spelling, so writing it again gives it back. */
const PARSERS: Readonly<Record<string, readonly [Uint8Array, Rewrite]>> = {
  note: [utf8(note), (bytes) => then(parseNote(bytes), formatNote)],
  checkpoint: [utf8(parseNote(utf8(note))?.text ?? ''), text((each) => maybe(parseCheckpoint(each), formatCheckpoint))],
  'verifier key': [utf8(formatVerifierKey(key)), text((each) => maybe(parseVerifierKey(each), formatVerifierKey))],
  'tile path': [utf8('tile/entries/x001/x234/067.p/8'), text((each) => maybe(parseTilePath(each), tilePath))],
  'witness request': [
    utf8(formatAddCheckpoint({ oldSize: 20, proof: log.view.proveConsistency(20), note })),
    (bytes) => then(parseAddCheckpoint(bytes), formatAddCheckpoint),
  ],
  proof: [utf8(formatTlogProof(proof)), (bytes) => then(parseTlogProof(bytes), formatTlogProof)],
  bundle: [bundle, (bytes) => maybe(splitBundle(bytes), encodeBundle)],
  entry: [entry, (bytes) => maybe(readAuditEntry(bytes), ({ seq, ...event }) => entryBytes(event, seq))],
  'export line': [
    utf8(tileLine.trimEnd()),
    // The order of members in a line is free.
    text((each) => maybe(parseExportRecord(each), () => each)),
  ],
};

const change = fc.record({
  at: fc.nat(),
  cut: fc.nat({ max: 12 }),
  put: fc.oneof(
    fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom(
        '\n',
        '\n\n',
        '— ',
        ' ',
        '+',
        '=',
        '0',
        '9'.repeat(17),
        '/',
        '.p/',
        'x',
        '{',
        '}',
        '"',
        'null',
        '\u0085',
        '\\u0000',
      )
      .map((token) => Buffer.from(token)),
  ),
});

for (const [name, [sample, rewrite]] of Object.entries(PARSERS))
  test(`mutated, ${name}: it is refused, or is the one spelling of what it says; never an error, and fast`, (t) => {
    t.diagnostic(`seed ${seed}`);
    assert.deepEqual(Buffer.from(rewrite(sample) ?? assert.fail('the sample is valid')), Buffer.from(sample));
    let slowest = 0;
    let taken = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let bytes = Buffer.from(sample);
        for (const { at, cut, put } of changes) {
          const place = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + cut)]);
        }
        const from = cpuMs();
        const written = rewrite(bytes);
        slowest = Math.max(slowest, cpuMs() - from);
        if (written === undefined) return;
        taken += 1;
        assert.ok(bytes.equals(written), `${toHex(bytes)} came out as ${toHex(written)}`);
      }),
      { numRuns: CASES, seed },
    );
    t.diagnostic(`${taken} of ${CASES} taken, slowest ${slowest.toFixed(1)} ms`);
    assert.ok(slowest < 500);
  });

test('a mutated note never verifies with another text', () => {
  const signed = parseNote(utf8(note))?.text;
  fc.assert(
    fc.property(change, ({ at, cut, put }) => {
      const bytes = Buffer.from(note);
      const place = at % (bytes.length + 1);
      const result = openNote(
        Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + cut)]),
        TRUST.logKeys,
      );
      if (result.ok) assert.equal(result.opened.note.text, signed);
    }),
    { numRuns: CASES / 10, seed },
  );
});

function maybe<T, Written>(value: T | undefined, write: (value: T) => Written): Written | undefined {
  return value === undefined ? undefined : write(value);
}
