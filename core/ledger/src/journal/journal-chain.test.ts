import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { canonicalJson } from '@ringfence/base';
import { appendRecord, isTornTail, LONGEST_LINE, readRecord } from './journal-chain.ts';
import { JournalReader, readJournal } from './journal-reader.ts';
import { EMPTY_JOURNAL, type JournalRecord } from './journal-record.ts';
import { SAMPLE_FIELDS, writtenJournal } from './journal-sample.fixture.ts';

const T = 1_800_000_000_000;

test('every kind of record reads back, chained as the specification says', () => {
  const { text, head } = writtenJournal();
  const { records, head: end, torn } = readJournal(text);
  assert.equal(torn, 0);
  assert.deepEqual(end, head);
  assert.equal(records.length, SAMPLE_FIELDS.length);
  let before = '0'.repeat(64);
  records.forEach((record, index) => {
    const { seq, t, hash, hash_prev, ...fields } = record;
    assert.deepEqual(fields, SAMPLE_FIELDS[index]);
    assert.deepEqual([seq, t, hash_prev], [index + 1, T + index, before]);
    const own = canonicalJson({ ...fields, seq, t, hash_prev });
    assert.equal(hash, createHash('sha256').update(`ringfence/journal/v1${own}`).digest('hex'));
    before = hash;
  });
});

test('any flipped bit, anywhere, is found', () => {
  const { text } = writtenJournal(SAMPLE_FIELDS.filter(({ kind }) => kind !== 'open' && kind !== 'accept'));
  assert.doesNotThrow(() => readJournal(text));
  for (let at = 0; at < text.length; at += 1)
    for (const bit of [0, 3, 7]) {
      const changed = Buffer.from(text);
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
      assert.throws(() => readJournal(changed), { code: 'broken-journal' }, `byte ${at}, bit ${bit}`);
    }
});

test('nothing hides in a line under a name that the reader would drop and the hash would not cover', () => {
  const head = { seq: 5, hash: 'a'.repeat(64) as JournalRecord['hash'], t: T };
  for (const hidden of ['"__proto__":{"a":"message"},"b":1', '"b":[{"__proto__":1}]']) {
    const written = `{"hash":"HASH","hash_prev":"${head.hash}","kind":"fact","name":"x","seq":6,"t":${T}}`;
    const hashOf = (body: string): string => {
      const record = JSON.parse(written.replace('"HASH"', 'null')) as Record<string, unknown>;
      delete record['hash'];
      const text = canonicalJson(record).replace('{', `{"body":${body},`);
      return createHash('sha256').update(`ringfence/journal/v1${text}`).digest('hex');
    };
    for (const covered of ['{"b":1}', '{"b":[{}]}', `{${hidden}}`]) {
      const line = written.replace('HASH', hashOf(covered)).replace('{', `{"body":{${hidden}},`);
      assert.deepEqual(readRecord(head, Buffer.from(line)), { ok: false, code: 'canonical' }, line);
    }
  }
});

test('a torn last line is left out at any length, and nothing before it is lost', () => {
  const { text } = writtenJournal(SAMPLE_FIELDS.filter(({ kind }) => kind !== 'open' && kind !== 'accept'));
  const starts = [0, ...Array.from(text.entries(), ([at, byte]) => (byte === 10 ? at + 1 : 0)).filter((at) => at > 0)];
  for (let length = 0; length <= text.length; length += 1) {
    const whole = starts.filter((start) => start > 0 && start <= length).length;
    const { records, torn } = readJournal(text.subarray(0, length));
    assert.equal(records.length, whole);
    assert.equal(torn, length - (starts[whole] ?? 0));
  }
  const zeros = Buffer.concat([text, Buffer.alloc(100)]);
  assert.equal(readJournal(zeros).torn, 100, 'blocks that a power cut left empty');
  const unended = Buffer.concat([text.subarray(0, -1), Buffer.alloc(3)]);
  assert.equal(readJournal(unended).records.length, readJournal(text).records.length - 1);
});

test('records left out, repeated, swapped or from another journal are found', () => {
  const lines = writtenJournal().text.toString().trimEnd().split('\n');
  const refused = (changed: string[]): void =>
    assert.throws(() => readJournal(Buffer.from(`${changed.join('\n')}\n`)), { code: 'broken-journal' });
  for (let at = 0; at < lines.length - 1; at += 1) {
    refused(lines.toSpliced(at, 1));
    refused(lines.toSpliced(at, 0, lines[at] ?? ''));
    refused(lines.toSpliced(at, 2, lines[at + 1] ?? '', lines[at] ?? ''));
  }
  refused([...lines, lines.at(-1) ?? '']);
  refused(['', ...lines]);
  assert.throws(() => readJournal(writtenJournal(SAMPLE_FIELDS.slice(1)).text), { code: 'broken-journal' });
});

test('time goes on within a run and may go back only where a process started', () => {
  const [start, second] = SAMPLE_FIELDS;
  assert.ok(start !== undefined && second !== undefined);
  const first = appendRecord(EMPTY_JOURNAL, start, T);
  const earlier = appendRecord(first.head, second, T - 1);
  assert.deepEqual(readRecord(first.head, Buffer.from(earlier.line)), { ok: false, code: 'time' });
  const restarted = appendRecord(first.head, start, T - 1_000);
  assert.ok(readRecord(first.head, Buffer.from(restarted.line)).ok);
});

test('a line that is too long is neither written nor read', () => {
  const body = { text: 'x'.repeat(LONGEST_LINE) };
  assert.throws(() => appendRecord(EMPTY_JOURNAL, { kind: 'fact', name: 'long', body }, T), RangeError);
  const reader = new JournalReader();
  assert.throws(() => [...reader.read(Buffer.alloc(LONGEST_LINE + 2, 'x'))], { code: 'broken-journal' });
  assert.ok(!isTornTail(EMPTY_JOURNAL, Buffer.alloc(LONGEST_LINE + 2, 'x')));
});

test('records that this release does not know are refused, not skipped', () => {
  const { line } = appendRecord(EMPTY_JOURNAL, { ...SAMPLE_FIELDS[0], format: 3 } as never, T);
  assert.deepEqual(readRecord(EMPTY_JOURNAL, Buffer.from(line)), { ok: false, code: 'schema' });
});

test('pieces of any size give the same records', () => {
  const { text } = writtenJournal();
  const expected = readJournal(text).records;
  for (const size of [1, 7, 512, 100_000]) {
    const reader = new JournalReader();
    const records: JournalRecord[] = [];
    for (let at = 0; at < text.length; at += size)
      for (const { record, offset } of reader.read(text.subarray(at, at + size))) {
        assert.equal(text.subarray(offset).indexOf('{'), 0);
        records.push(record);
      }
    assert.equal(reader.end(), 0);
    assert.deepEqual(records, expected);
  }
});
