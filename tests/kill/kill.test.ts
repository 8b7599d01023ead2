// Invariants 5 and 6: kill -9 at a named step loses nothing acknowledged and commits nothing twice. More deaths: interruptions.full.test.ts,
// kill-*.full.test.ts.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startArmedHouse, type ArmedHouse } from './armed-house.ts';
import { killAgentAndRetry, killAll, killDatabase } from './interruption.ts';
import { KEY_POINTS } from './kill-points.ts';
import { killOnce } from './kill-run.ts';
import { assertOneCommitEach, assertWireVerified } from './ledgers.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-kill-'));
let armed: ArmedHouse;

before(async () => {
  armed = await startArmedHouse(root);
});

after(async () => {
  await armed?.close();
  rmSync(root, { recursive: true, force: true });
});

test('there are at least twenty steps', () => assert.ok(KEY_POINTS.length >= 20));

for (const kill of KEY_POINTS)
  test(`kill -9 of ${kill.process} at ${kill.point}`, async () => {
    assert.equal(await killOnce(armed, kill), true, 'the step was passed');
  });

test('an agent killed while a job runs: interrupted, tried again, committed once', () => killAgentAndRetry(armed));

test('kill -9 of the PostgreSQL server of the control plane while a job runs', () =>
  killDatabase(armed, 'control-plane'));

test('kill -9 of everything at once while a job runs', () => killAll(armed));

test('both ledgers hold one commit a job, and the journals prove what crossed', async () => {
  await assertOneCommitEach(armed);
  await assertWireVerified(armed);
});
