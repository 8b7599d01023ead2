import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { makeSocketFolder, removeSocketFolder } from './socket-folder.ts';

test('a temporary folder with a long path is passed over', () => {
  const deep = join('/tmp', 'x'.repeat(90));
  const folder = makeSocketFolder(undefined, deep);
  try {
    assert.equal(dirname(folder), '/tmp');
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.ok(Buffer.byteLength(join(folder, '.s.PGSQL.5432')) <= 107);
  } finally {
    removeSocketFolder(folder);
  }
  assert.equal(existsSync(folder), false);
});

test('only our own folders with nothing but sockets in them are removed', () => {
  const base = mkdtempSync(join(tmpdir(), 'rf-test-'));
  try {
    const [stranger, full] = [join(base, 'other'), join(base, 'rf-db-full')];
    for (const folder of [stranger, full]) mkdirSync(folder);
    writeFileSync(join(full, 'notes'), '');
    for (const folder of [stranger, full, join(base, 'rf-db-absent')]) removeSocketFolder(folder);
    assert.deepEqual([existsSync(stranger), existsSync(full)], [true, true]);
  } finally {
    rmSync(base, { recursive: true });
  }
});
