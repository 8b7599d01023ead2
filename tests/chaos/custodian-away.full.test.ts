// A custodian that is gone for a minute: what runs goes on and commits when it is back; what has not begun waits, and says for whom.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startArmedHouse } from '../kill/armed-house.ts';
import { untilRuns } from '../kill/interruption.ts';
import { assertCommittedOnce, processesOf, until, untilOver } from '../kill/job-outcome.ts';
import { orderJob } from '../kill/order.ts';

const AWAY_MS = 60_000;
const RETRY = '{on: [interruption, no-capacity], max: 99}';

test('a custodian that is gone for a minute: running jobs end and commit, new ones wait with the reason', async () => {
  const root = mkdtempSync(join(tmpdir(), 'ringfence-away-'));
  const armed = await startArmedHouse(root);
  try {
    const runs = await orderJob(armed, { run: 'sleep 20; echo ran > /out/result', retry: RETRY });
    await untilRuns(armed, runs);
    // Its order is taken by both, and its lease comes to an agent that sleeps until the custodian is gone.
    armed.house.process('agent-1').kill('SIGSTOP');
    const waits = await orderJob(armed, { retry: RETRY });
    await armed.house.kill('custodian');
    const gone = performance.now();
    armed.house.process('agent-1').kill('SIGCONT');
    await until(armed, AWAY_MS, async () => {
      const { stdout } = await armed.house.cli(['status', waits.job]);
      return /custodian/.test(stdout) ? { done: true } : { waiting: stdout };
    });
    await until(armed, AWAY_MS, async () =>
      processesOf(runs).length === 0 ? { done: true } : { waiting: 'for the job to end' },
    );
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, AWAY_MS - (performance.now() - gone))));
    await armed.house.restart('custodian');
    const view = await untilOver(armed, runs, 120_000);
    await assertCommittedOnce(armed, runs, view, 'the job that ran');
    assert.equal(view.attempts.length, 1, 'it was never interrupted');
    const later = await untilOver(armed, waits, 360_000);
    await assertCommittedOnce(armed, waits, later, 'the job that waited');
  } finally {
    armed.house.process('agent-1').kill('SIGCONT');
    await armed.close();
    rmSync(root, { recursive: true, force: true });
  }
});
