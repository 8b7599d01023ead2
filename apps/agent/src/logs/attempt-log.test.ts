import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { logLine } from '@ringfence/protocol/payload';
import fc from 'fast-check';
import { AttemptLog, readLogLines } from './attempt-log.ts';

function openLog(t: TestContext, limit: number): { log: AttemptLog; path: string; clock: ManualClock } {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock();
  const path = join(folder, 'log.jsonl');
  return { log: new AttemptLog(path, { limit, clock }), path, clock };
}

function readAll(path: string): { text: string; stream: string; next: number }[] {
  const all: { text: string; stream: string; next: number }[] = [];
  for (let from = 0; ;) {
    const { lines, next } = readLogLines(path, from);
    if (lines.length === 0) return all;
    for (const line of lines) {
      assert.ok(logLine.safeParse(line).success, 'a line that no reader takes');
      if (line.kind === 'line') all.push(line);
    }
    from = next;
  }
}

test('output beyond the quota is not kept, one marker says so, and the job goes on', (t) => {
  const { log, path } = openLog(t, 10_000);
  for (let index = 0; index < 1_000; index += 1) log.write('out', Buffer.from(`line ${index} ${'x'.repeat(50)}\n`));
  log.close();
  const lines = readAll(path);
  assert.ok(statSync(path).size <= 10_000 + 200, `${statSync(path).size} bytes`);
  assert.match(lines.at(-1)?.text ?? '', /more than 10000 bytes/);
  assert.equal(lines.filter(({ text }) => text.includes('ringfence:')).length, 1);
  assert.ok(lines.length > 80);
});

test('a line that no quota holds is not kept, and neither is a line without end in memory', (t) => {
  const { log, path } = openLog(t, 1_000_000);
  for (let index = 0; index < 64; index += 1) log.write('out', Buffer.alloc(1_000_000, 'x'));
  log.close();
  assert.ok(statSync(path).size <= 1_000_200);
  assert.ok(readAll(path).every(({ text }) => text.length <= 16_384));
});

test('the end of stderr is known for the failure report, also beyond the quota', (t) => {
  const { log } = openLog(t, 1_000);
  for (let index = 0; index < 500; index += 1) log.write('err', Buffer.from(`noise ${index}\n`));
  log.write('err', Buffer.from('ValueError: x\n'));
  assert.equal(log.stderrTail.at(-1), 'ValueError: x');
  assert.ok(log.stderrTail.length <= 60);
  log.close();
});

test('a line without its end is shown after half a second', (t) => {
  const { log, path, clock } = openLog(t, 1_000);
  log.write('out', Buffer.from('50 %'));
  assert.deepEqual(readAll(path), []);
  clock.advance(500);
  assert.deepEqual(
    readAll(path).map(({ text }) => text),
    ['50 %'],
  );
  log.close();
});

test('however output is cut into pieces, each line is read back once and as it was', (t) => {
  const { path } = openLog(t, 1);
  let runs = 0;
  const text = fc.array(
    fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll('\n', ' ')),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, cuts) => {
      runs += 1;
      const mine = `${path}.${runs}`;
      const log = new AttemptLog(mine, { limit: 1_000_000, clock: new ManualClock() });
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const length = cuts[turn % cuts.length] ?? 1;
        log.write('out', bytes.subarray(at, at + length));
        at += length;
      }
      log.close();
      const wellFormed = lines.map((line) => Buffer.from(line).toString());
      assert.deepEqual(
        readAll(mine).map((line) => line.text),
        wellFormed,
      );
      rmSync(mine);
    }),
    { numRuns: 300 },
  );
});

test('reading from any byte gives whole lines only, and none before it', (t) => {
  const { log, path } = openLog(t, 100_000);
  for (let index = 0; index < 20; index += 1) log.write('out', Buffer.from(`${index}\n`));
  log.close();
  const all = readAll(path);
  const starts = [0, ...all.map(({ next }) => next)];
  for (let from = 0; from <= statSync(path).size; from += 1) {
    const { lines } = readLogLines(path, from);
    // A position inside a line may not bring back a part of it as a line.
    assert.equal(lines.length, all.length - starts.findIndex((start) => start >= from), `from ${from}`);
  }
});
