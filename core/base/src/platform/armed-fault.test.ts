import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { armedFault } from './armed-fault.ts';

const POINTS = ['before', 'after'] as const;
const folder = mkdtempSync(join(tmpdir(), 'ringfence-fault-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a file arms a running process, and dying disarms its successor', () => {
  const file = join(folder, 'armed');
  let died = 0;
  const fault = armedFault(POINTS, `@${file}`, () => (died += 1));
  fault('after');
  writeFileSync(file, 'after:2');
  fault('after');
  fault('before');
  assert.equal(died, 0);
  fault('after');
  assert.equal(died, 1);
  assert.equal(existsSync(file), false);
  fault('after');
  writeFileSync(file, 'before');
  fault('before');
  assert.equal(died, 2);
});

test('a setting without a file arms from the start; unknown steps are refused', () => {
  let died = 0;
  armedFault(POINTS, 'after', () => (died += 1))('after');
  assert.equal(died, 1);
  assert.throws(() => armedFault(POINTS, 'never', () => {}), RangeError);
  writeFileSync(join(folder, 'wrong'), 'never');
  assert.throws(() => armedFault(POINTS, `@${join(folder, 'wrong')}`, () => {})('after'), RangeError);
});
