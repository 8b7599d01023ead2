import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { bytesIn, watchDisk } from './disk-watch.ts';

function folderWith(t: TestContext, bytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-disk-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'a/b/file'), Buffer.alloc(bytes, 1));
  return folder;
}

test('counts what lies in folders, and nothing that links lead to', async (t) => {
  const folder = folderWith(t, 300_000);
  const outside = folderWith(t, 9_000_000);
  symlinkSync(outside, join(folder, 'link'));
  symlinkSync('..', join(folder, 'a', 'ring'));
  const bytes = await bytesIn([folder], 1e12);
  assert.ok(bytes >= 300_000 && bytes < 400_000, String(bytes));
  assert.ok((await bytesIn([folder, outside], 1e12)) > 9_000_000);
});

test('stops counting once the limit is passed, and takes folders that are gone', async (t) => {
  assert.ok((await bytesIn([folderWith(t, 300_000)], 1)) > 1);
  assert.equal(await bytesIn(['/absent/folder'], 1), 0);
});

test('calls once when the folders are too full, and not after the job is over', async (t) => {
  const folder = folderWith(t, 300_000);
  const clock = new ManualClock();
  let calls = 0;
  const over = new AbortController();
  const watching = watchDisk({ folders: [folder], limit: 1000, signal: over.signal }, clock, () => (calls += 1));
  clock.advance(2000);
  await watching;
  assert.equal(calls, 1);
  assert.equal(clock.waiting, 0);

  const quiet = watchDisk({ folders: [folder], limit: 1e12, signal: over.signal }, clock, () => (calls += 1));
  clock.advance(2000);
  over.abort();
  await quiet;
  assert.equal(calls, 1);
});
