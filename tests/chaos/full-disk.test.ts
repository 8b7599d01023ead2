// A log whose disk is full for a while: what was written meanwhile stands in it once there is room.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { AttemptLog, readLogLines } from '../../apps/agent/src/logs/attempt-log.ts';
import { need } from '../../scripts/needs.ts';
import { fillDisk, mountDisk, unmountDisk } from './disks.ts';

function logOnDisk(t: TestContext): { log: AttemptLog; clock: ManualClock; disk: string; texts: () => string[] } {
  const disk = mkdtempSync(join(tmpdir(), 'ringfence-full-disk-'));
  mountDisk(disk, '0700');
  // A size of nothing would be no limit.
  writeFileSync(join(disk, 'other'), 'x');
  t.after(() => {
    unmountDisk(disk);
    rmSync(disk, { recursive: true });
  });
  const [clock, path] = [new ManualClock(), join(disk, 'log.jsonl')];
  const texts = (): string[] =>
    readLogLines(path, 0).lines.map((line) => (line.kind === 'line' ? line.text : line.kind));
  return { log: new AttemptLog(path, { limit: 100_000_000, clock }), clock, disk, texts };
}

test('lines that a full disk did not take are written when it has room, in their order', async (t) => {
  if (!need(t, 'root')) return;
  const { log, clock, disk, texts } = logOnDisk(t);
  const lines = Array.from({ length: 200 }, (_, index) => `line ${index} ${'x'.repeat(100)}`);
  const free = fillDisk(disk);
  for (const line of lines) log.write('out', Buffer.from(`${line}\n`));
  assert.ok(texts().length < lines.length, 'the disk was full');
  const drained = log.drained(60_000);
  clock.advance(1_000);
  assert.ok(texts().length < lines.length, 'it still was');
  free();
  clock.advance(1_000);
  await drained;
  log.close();
  assert.deepEqual(texts(), lines);
});

test('of more than memory holds the rest is given up with a word, and the end is not waited for without end', async (t) => {
  if (!need(t, 'root')) return;
  const { log, clock, disk } = logOnDisk(t);
  const free = fillDisk(disk);
  for (let index = 0; index < 400; index += 1) log.write('out', Buffer.from(`${'y'.repeat(10_000)}\n`));
  const drained = log.drained(60_000);
  clock.advance(60_000);
  await drained;
  free();
  clock.advance(1_000);
  log.close();
  const kept = readFileSync(log.path, 'utf8').trimEnd().split('\n');
  assert.ok(kept.length > 90 && kept.length < 120, `${kept.length} lines`);
  assert.match(kept.at(-1) ?? '', /the disk was full; the rest is not kept/);
});
