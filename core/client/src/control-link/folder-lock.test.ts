import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { lockFolder } from './folder-lock.ts';
import { temporaryFolder } from './party.fixture.ts';

/** So many that some of them are races, whatever the machine. */
const RACES = 300;
const MODULE = new URL('./folder-lock.ts', import.meta.url).href;

/** A process that takes the lock, says so on stdout, and lives until its stdin closes. */
function locker(folder: string) {
  const script = `
    const { lockFolder } = await import(${JSON.stringify(MODULE)});
    try { lockFolder(${JSON.stringify(folder)}); process.stdout.write('held'); }
    catch (error) { process.stdout.write(error.code); }
    process.stdin.resume();`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function said(child: ReturnType<typeof locker>): Promise<string> {
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return chunk.toString();
}

test('a folder has one holder at a time, in one process and across processes', async (t) => {
  const folder = temporaryFolder(t);
  const unlock = lockFolder(folder);
  assert.throws(() => lockFolder(folder), { code: 'folder-in-use' });
  const other = locker(folder);
  assert.equal(await said(other), 'folder-in-use');
  other.stdin.end();
  unlock();
  lockFolder(folder)();
  assert.deepEqual(readdirSync(folder), []);
});

test('who is told that it may displaces a living holder, and that one’s letting go takes nothing away', (t) => {
  const folder = temporaryFolder(t);
  const unlock = lockFolder(folder);
  const second = lockFolder(folder, { displaces: true });
  unlock();
  assert.throws(() => lockFolder(folder), { code: 'folder-in-use' });
  second();
  assert.deepEqual(readdirSync(folder), []);
});

test('the lock of a killed process is taken over, even before its parent has noticed', async (t) => {
  const folder = temporaryFolder(t);
  const child = locker(folder);
  assert.equal(await said(child), 'held');
  assert.throws(() => lockFolder(folder), { code: 'folder-in-use' });
  child.kill('SIGKILL');
  // This process does not reap it as long as it stays in this loop.
  for (let look = 0; !readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') Z '); look += 1)
    assert.ok(look < 1_000_000, 'the child is still alive');
  lockFolder(folder)();
  await once(child, 'exit');
});

test('a number of a process that is used again does not hold', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'lock.7'), JSON.stringify({ pid: process.pid, started: '1', boot: 'another boot' }));
  writeFileSync(join(folder, 'lock.3'), 'not even JSON');
  const unlock = lockFolder(folder);
  assert.deepEqual(readdirSync(folder), ['lock.8']);
  unlock();
});

/** A process that, when it is told to, takes each of many folders, says which it got, and lives until its stdin closes. */
function racer(folder: string) {
  const script = `
    const { lockFolder } = await import(${JSON.stringify(MODULE)});
    process.stdout.write('ready');
    process.stdin.once('data', () => {
      const got = [];
      for (let number = 0; number < ${RACES}; number += 1)
        try { lockFolder(${JSON.stringify(folder)} + '/' + number); got.push(number); } catch {}
      process.stdout.write(JSON.stringify(got));
    });`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
}

test('of many processes that find a dead holder at the same moment, one takes its place', async (t) => {
  const folder = temporaryFolder(t);
  for (let number = 0; number < RACES; number += 1) {
    mkdirSync(join(folder, String(number)));
    writeFileSync(join(folder, String(number), 'lock.1'), JSON.stringify({ pid: 1, started: 'x', boot: 'x' }));
  }
  const children = Array.from({ length: 3 }, () => racer(folder));
  t.after(() => children.forEach((child) => child.kill('SIGKILL')));
  await Promise.all(children.map(said));
  const taken = children.map(said);
  for (const child of children) child.stdin.write('go');
  const got = (await Promise.all(taken)).flatMap((text) => JSON.parse(text) as number[]);
  assert.deepEqual(
    got.toSorted((one, other) => one - other),
    Array.from({ length: RACES }, (_, number) => number),
  );
});
