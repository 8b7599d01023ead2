// All steps of one process, three times each: the second and third passing hit further jobs that are under way at the same time. What
// `npm test` kills already (kill.test.ts) is not killed again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startArmedHouse, type ARMED, type ArmedHouse, type KillPoint } from './armed-house.ts';
import { KEY_POINTS, killPoints } from './kill-points.ts';
import { killOnce } from './kill-run.ts';
import { assertOneCommitEach, assertWireVerified } from './ledgers.ts';

/** Registers the tests of one process of a house; with all three it is more than a hundred kills. */
export function killEverywhere(name: (typeof ARMED)[number]): void {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-kill-'));
  const kills = [1, 2, 3].flatMap(killPoints);
  let armed: ArmedHouse;
  before(async () => {
    armed = await startArmedHouse(root);
  });
  after(async () => {
    await armed?.close();
    rmSync(root, { recursive: true, force: true });
  });
  test('there are at least a hundred kills in all', () => assert.ok(kills.length >= 100));
  const isKey = ({ process, point, pass }: KillPoint): boolean =>
    KEY_POINTS.some((key) => key.process === process && key.point === point && key.pass === pass);
  for (const kill of kills.filter((one) => one.process === name && !isKey(one)))
    test(`kill -9 of ${name} at ${kill.point}, passing ${kill.pass}`, async () => {
      assert.equal(await killOnce(armed, kill), true, 'the step was passed');
    });
  test('both ledgers hold one commit a job, and the journals prove what crossed', async () => {
    await assertOneCommitEach(armed);
    await assertWireVerified(armed);
  });
}
