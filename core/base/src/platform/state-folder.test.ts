import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openStateFolder } from './state-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-state-'));
after(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(root, String((made += 1)), 'state');
const markerOf = (path: string): unknown => JSON.parse(readFileSync(join(path, 'ringfence-state.json'), 'utf8'));

test('a new folder is made private, and opens again', () => {
  const path = fresh();
  openStateFolder({ path, role: 'agent', version: 2 });
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.deepEqual(markerOf(path), { role: 'agent', version: 2 });
  openStateFolder({ path, role: 'agent', version: 2 });
});

test('an empty folder is taken, one with other content is not', () => {
  const path = fresh();
  mkdirSync(path, { recursive: true });
  openStateFolder({ path, role: 'agent', version: 1 });
  const other = fresh();
  mkdirSync(other, { recursive: true });
  writeFileSync(join(other, 'thesis.doc'), 'x');
  assert.throws(() => openStateFolder({ path: other, role: 'agent', version: 1 }), { code: 'not-a-state-folder' });
  assert.equal(existsSync(join(other, 'ringfence-state.json')), false);
});

test('a symbolic link, or a folder that others can write, is refused; a shared parent is not', () => {
  const path = fresh();
  openStateFolder({ path, role: 'agent', version: 1 });
  const link = `${path}-link`;
  symlinkSync(path, link);
  for (const named of [link, `${link}/`, `${link}//`])
    assert.throws(() => openStateFolder({ path: named, role: 'agent', version: 1 }), { code: 'unsafe' });
  symlinkSync(`${path}-nowhere`, `${path}-dangling`);
  assert.throws(() => openStateFolder({ path: `${path}-dangling`, role: 'agent', version: 1 }), { code: 'unsafe' });
  for (const mode of [0o720, 0o702, 0o777]) {
    chmodSync(path, mode);
    assert.throws(() => openStateFolder({ path, role: 'agent', version: 1 }), { code: 'unsafe' });
  }
  chmodSync(path, 0o755);
  chmodSync(join(path, '..'), 0o777);
  openStateFolder({ path, role: 'agent', version: 1 });
});

test('another role, or a newer release, is told apart', () => {
  const path = fresh();
  openStateFolder({ path, role: 'agent', version: 3 });
  assert.throws(() => openStateFolder({ path, role: 'custodian', version: 3 }), { code: 'wrong-role' });
  assert.throws(() => openStateFolder({ path, role: 'agent', version: 2 }), {
    code: 'too-new',
    next: 'start the newer release',
  });
  assert.deepEqual(markerOf(path), { role: 'agent', version: 3 });
});

test('upgrades run one by one in order, and each is remembered before the next', () => {
  const path = fresh();
  openStateFolder({ path, role: 'agent', version: 1 });
  const ran: number[] = [];
  const upgrades = {
    1: () => ran.push(1),
    2: () => {
      ran.push(2);
      throw new Error('power cut');
    },
    3: () => ran.push(3),
  };
  assert.throws(() => openStateFolder({ path, role: 'agent', version: 4, upgrades }), /power cut/);
  assert.deepEqual(ran, [1, 2]);
  assert.deepEqual(markerOf(path), { role: 'agent', version: 2 });
  openStateFolder({ path, role: 'agent', version: 4, upgrades: { ...upgrades, 2: () => ran.push(2) } });
  assert.deepEqual(ran, [1, 2, 2, 3]);
  assert.deepEqual(markerOf(path), { role: 'agent', version: 4 });
});

test('a gap in the upgrades is refused without losing the place', () => {
  const path = fresh();
  openStateFolder({ path, role: 'agent', version: 1 });
  assert.throws(() => openStateFolder({ path, role: 'agent', version: 3, upgrades: { 1: () => {} } }), {
    code: 'too-old',
  });
  assert.deepEqual(markerOf(path), { role: 'agent', version: 2 });
});

test('a marker that nobody wrote so is refused with the next step', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"role":"agent"}',
    '{"role":1,"version":1}',
    '{"role":"agent","version":"1"}',
    '{"role":"agent","version":0}',
    '{"role":"agent","version":1.5}',
    '{"role":"agent","version":-9}',
  ]) {
    const path = fresh();
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'ringfence-state.json'), text);
    assert.throws(
      () => openStateFolder({ path, role: 'agent', version: 1, upgrades: {} }),
      { code: 'corrupt', next: 'restore the folder from a backup' },
      text,
    );
  }
});
