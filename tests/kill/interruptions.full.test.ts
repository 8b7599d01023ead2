// What else may die while a job runs, beside what kill.test.ts kills in every run of the tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startArmedHouse, type ArmedHouse } from './armed-house.ts';
import { killAgentWithoutRetry, killDatabase, killRelay } from './interruption.ts';
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

test('without a wish to be tried again the job fails, and says why', () => killAgentWithoutRetry(armed));

test('kill -9 of the PostgreSQL server of the custodian while a job runs', () => killDatabase(armed, 'custodian'));

test('kill -9 of the relay while a job runs', () => killRelay(armed));

test('both ledgers hold one commit a job, and the journals prove what crossed', async () => {
  await assertOneCommitEach(armed);
  await assertWireVerified(armed);
});
