import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { InitConfig } from './init-program.ts';
import { initText, installInit } from './init-text.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-init-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('the init forwards and ends as its command does', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'init.mjs'), initText());
  const proxy = createServer((socket) => socket.end('the proxy')).listen(join(folder, 'egress'));
  t.after(() => proxy.close());
  const port = await freePort();
  const config: InitConfig = {
    egress: { port, socket: join(folder, 'egress') },
    inbound: null,
    env: { ONLY: 'this' },
  };
  writeFileSync(join(folder, 'init.json'), JSON.stringify(config));
  const command = `require('node:net').connect(${port}, '127.0.0.1').pipe(process.stdout);
      console.log(Object.keys(process.env).join()); process.on('exit', () => { process.exitCode = 7 })`;
  const args = [join(folder, 'init.mjs'), join(folder, 'init.json'), process.execPath, '-e', command];
  const init = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const parts: string[] = [];
  init.stdout.on('data', (part) => parts.push(String(part)));
  const [code] = (await once(init, 'close')) as [number];
  assert.equal(parts.join(''), 'ONLY\nthe proxy');
  assert.equal(code, 7);
});

test('the init is installed once, and anew when it changed', (t) => {
  const folder = folderOf(t);
  const path = installInit(folder);
  assert.equal(readFileSync(path, 'utf8'), initText());
  assert.equal(installInit(folder), path);
  assert.match(path, /init-[0-9a-f]{16}\.mjs$/);
});
