import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { firstDifference, platformProblem } from './run.mjs';

const RUN = join(import.meta.dirname, 'run.mjs');
const machine = { os: 'linux', cpu: 'x64', libc: 'glibc' };
const ws = { version: '8.0.0', integrity: 'sha512-ws' };
const lock = (packages: Record<string, object>) => ({ packages: { '': {}, ...packages } });

test('a tree that matches the lock needs no install', () => {
  const packages = { 'node_modules/ws': ws, 'node_modules/@ringfence/base': { link: true, resolved: 'core/base' } };
  assert.equal(firstDifference(lock(packages), lock(packages), machine), null);
});

test('each way in which a tree can differ from the lock is seen', () => {
  const wanted = lock({ 'node_modules/ws': ws });
  assert.equal(firstDifference(wanted, undefined, machine), 'node_modules');
  assert.equal(firstDifference(wanted, lock({}), machine), 'node_modules/ws');
  const forged = lock({ 'node_modules/ws': { ...ws, integrity: 'sha512-other' } });
  assert.equal(firstDifference(wanted, forged, machine), 'node_modules/ws');
  const newer = lock({ 'node_modules/ws': { ...ws, version: '8.0.1' } });
  assert.equal(firstDifference(wanted, newer, machine), 'node_modules/ws');
  const more = lock({ 'node_modules/ws': ws, 'node_modules/left': ws });
  assert.equal(firstDifference(wanted, more, machine), 'node_modules/left');
});

test('a package for another platform may be absent, one for this platform may not', () => {
  const absent = (entry: object) => firstDifference(lock({ 'node_modules/x': { ...ws, ...entry } }), lock({}), machine);
  assert.equal(absent({ os: ['darwin'] }), null);
  assert.equal(absent({ os: 'linux', cpu: 'arm64' }), null);
  assert.equal(absent({ os: ['linux'], libc: ['musl'] }), null);
  assert.equal(absent({ os: ['linux'], cpu: ['x64'], optional: true }), 'node_modules/x');
});

test('unsupported machines are told what is missing', () => {
  assert.equal(platformProblem(machine), null);
  assert.equal(platformProblem({ ...machine, cpu: 'arm64' }), null);
  assert.match(String(platformProblem({ ...machine, libc: 'musl' })), /this machine is linux x64 musl/);
  assert.match(
    String(platformProblem({ os: 'darwin', cpu: 'arm64', libc: 'musl' })),
    /this machine is darwin arm64\. On macOS/,
  );
});

function entry(t: TestContext, source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-run-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'entry.ts');
  writeFileSync(path, source);
  return path;
}

test('starts TypeScript on Node 24, passes arguments on, keeps the exit code', (t) => {
  const path = entry(
    t,
    'const n: number = 7; console.log(process.version, ...process.argv.slice(2)); process.exit(n);',
  );
  const { status, stdout } = spawnSync(process.execPath, [RUN, path, 'a b', '--json'], { encoding: 'utf8' });
  assert.match(stdout, /^v24\.\d+\.\d+ a b --json\n$/);
  assert.equal(status, 7);
});

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  test(`forwards ${signal} and ends the way the child ended`, async (t) => {
    const path = entry(
      t,
      `process.on('${signal}', () => process.exit(9)); setInterval(() => {}, 1000); console.log('up');`,
    );
    const child = spawn(process.execPath, [RUN, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill(signal);
    assert.deepEqual(await once(child, 'exit'), [9, null]);
  });
}

test('a child killed by a signal is reported as killed by that signal', async (t) => {
  const path = entry(t, `process.kill(process.pid, 'SIGKILL');`);
  const child = spawn(process.execPath, [RUN, path], { stdio: 'ignore' });
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
});

test('outside a checkout nothing is installed and the running Node is used when it is new enough', (t) => {
  const path = entry(t, `console.log('ran');`);
  const elsewhere = join(path, '../elsewhere/scripts');
  mkdirSync(elsewhere, { recursive: true });
  copyFileSync(RUN, join(elsewhere, 'run.mjs'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(elsewhere, 'run.mjs'), path], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout, stderr], [0, 'ran\n', '']);
});
