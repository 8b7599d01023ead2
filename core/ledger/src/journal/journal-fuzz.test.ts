import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { cpuMs } from '@ringfence/base/cpu-time';
import { LedgerError } from '../ledger-error.ts';
import { readRecord } from './journal-chain.ts';
import { readJournal } from './journal-reader.ts';
import { EMPTY_JOURNAL } from './journal-record.ts';
import { SAMPLE_FIELDS, writtenJournal } from './journal-sample.fixture.ts';

const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;
const seed = Number(process.env['RINGFENCE_FUZZ_SEED'] ?? randomInt(1, 2 ** 31));
const short = SAMPLE_FIELDS.filter(({ kind }) => kind !== 'open' && kind !== 'accept');
const { text } = writtenJournal(short.filter(({ kind }) => kind === 'start' || kind === 'fact'));

const change = fc.record({
  at: fc.nat({ max: text.length }),
  cut: fc.nat({ max: 40 }),
  put: fc.oneof(
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('\n', '{', '}', '"', ',', '"seq":', '9'.repeat(20), 'null', '\\u0000')
      .map((token) => Buffer.from(token)),
  ),
});

test('mutated journals are refused or lose a torn tail; nothing else happens, and fast', (t) => {
  t.diagnostic(`seed ${seed}`);
  const original = readJournal(text).records;
  let slowest = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      let bytes = Buffer.from(text);
      for (const { at, cut, put } of changes)
        bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
      const from = cpuMs();
      try {
        const { records } = readJournal(bytes);
        assert.deepEqual(records, original.slice(0, records.length), 'only records that were written');
      } catch (error) {
        assert.ok(error instanceof LedgerError, String(error));
      }
      slowest = Math.max(slowest, cpuMs() - from);
    }),
    { numRuns: CASES, seed },
  );
  t.diagnostic(`slowest ${slowest.toFixed(1)} ms`);
  assert.ok(slowest < 500);
});

test('single lines never throw', (t) => {
  t.diagnostic(`seed ${seed}`);
  const lines = writtenJournal(short).text.toString().trimEnd().split('\n');
  fc.assert(
    fc.property(fc.constantFrom(...lines), change, (line, { at, cut, put }) => {
      const place = at % (line.length + 1);
      const bytes = Buffer.from(line);
      const mutated = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + cut)]);
      const result = readRecord(EMPTY_JOURNAL, mutated);
      assert.ok(result.ok || result.code.length > 0);
    }),
    { numRuns: CASES, seed },
  );
});
