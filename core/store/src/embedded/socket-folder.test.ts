import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { answers, makeSocketFolder, removeSocketFolder } from './socket-folder.ts';

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

test('a socket that takes connections and answers nothing has no server behind it', async () => {
  const folder = makeSocketFolder(undefined);
  const silent = createServer((socket) => socket.once('data', () => socket.end()).on('error', () => {}));
  const server = createServer((socket) => socket.once('data', () => socket.end('N')).on('error', () => {}));
  try {
    assert.equal(await answers(folder), false);
    silent.listen(join(folder, '.s.PGSQL.5432'));
    await once(silent, 'listening');
    assert.equal(await answers(folder), false);
    await new Promise((resolve) => silent.close(resolve));
    server.listen(join(folder, '.s.PGSQL.5432'));
    await once(server, 'listening');
    assert.equal(await answers(folder), true);
  } finally {
    await new Promise((resolve) => server.close(resolve));
    removeSocketFolder(folder);
  }
});
