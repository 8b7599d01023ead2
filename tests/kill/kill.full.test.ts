// All steps, three times each: the second and third passing hit later attempts of a job, or later jobs.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { killPoints } from './kill-points.ts';
import { killOnce, writeKillJob } from './kill-run.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-kill-'));
const kills = [1, 2, 3].flatMap(killPoints);
let house: House;
let killed = 0;

before(async () => {
  house = await startHouse({ root: join(root, 'house'), agents: 1 });
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

for (const [index, kill] of kills.entries())
  test(`kill -9 of ${kill.process} at ${kill.point}, passing ${kill.pass}`, async () => {
    if (await killOnce(house, kill, writeKillJob(root, `kill-${index}`))) killed += 1;
  });

test('at least a hundred runs, and every step was killed at its first passing', () => {
  assert.ok(kills.length >= 100);
  assert.ok(killed >= kills.length / 3, `${killed} of ${kills.length} kills happened`);
});
