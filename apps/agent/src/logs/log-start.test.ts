import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { startOfLog } from './log-start.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-log-start-'));
const path = join(folder, 'log.jsonl');
after(() => rmSync(folder, { recursive: true, force: true }));

test('the tail, what is recent, and what is behind a byte, as a reader of the whole file would have it', () => {
  const line = fc.record({ gap: fc.nat(50), text: fc.string({ maxLength: 40 }), long: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 40 }),
      fc.record({ since: fc.nat(1_500), tail: fc.option(fc.nat(45), { nil: undefined }), skip: fc.nat(5) }),
      (lines, { since, tail, skip }) => {
        let at = 1;
        const records = lines.map(({ gap, text, long }) => {
          at += gap;
          return {
            at,
            line: `${JSON.stringify({ at, stream: 'out', text: long ? text.padEnd(30_000, 'ü') : text })}\n`,
          };
        });
        writeFileSync(path, records.map((record) => record.line).join(''));
        const before = records.slice(0, skip);
        const from = before.reduce((sum, record) => sum + Buffer.byteLength(record.line), 0);
        const last = tail === undefined ? records : tail === 0 ? [] : records.slice(-tail);
        const wished = last.filter((record) => record.at >= since && !before.includes(record));
        const start = startOfLog(path, { from, since, tail });
        const all = records.map((record) => record.line).join('');
        assert.equal(Buffer.from(all).subarray(start).toString(), wished.map((record) => record.line).join(''));
      },
    ),
    { numRuns: 300, seed: 5 },
  );
});

test('a log that is not there begins where it was asked for', () => {
  assert.equal(startOfLog(join(folder, 'none'), { from: 7, since: 5, tail: 3 }), 7);
});
