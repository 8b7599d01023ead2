// Invariants 5 and 6: kill -9 at a named step loses nothing acknowledged and commits nothing twice.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { KEY_POINTS } from './kill-points.ts';
import { killOnce, writeKillJob } from './kill-run.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-kill-'));
let house: House;

before(async () => {
  house = await startHouse({ root: join(root, 'house'), agents: 1 });
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

test('there are at least twenty steps', () => assert.ok(KEY_POINTS.length >= 20));

for (const [index, kill] of KEY_POINTS.entries())
  test(`kill -9 of ${kill.process} at ${kill.point}`, async () => {
    assert.equal(await killOnce(house, kill, writeKillJob(root, `kill-${index}`)), true, 'the step was passed');
  });
