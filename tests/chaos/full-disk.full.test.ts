// A disk that is full ends the process whose journal it refuses; started again with room, it goes on, and so do its jobs.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { need } from '../../scripts/needs.ts';
import { startArmedHouse } from '../kill/armed-house.ts';
import { assertCommittedOnce, until, untilOver } from '../kill/job-outcome.ts';
import { orderJob, untilTaken } from '../kill/order.ts';
import { fillDisk, mountDisk, unmountDisk } from './disks.ts';

const RETRY = '{on: [interruption, no-capacity, error], max: 99}';
const WITHIN_MS = 120_000;

test('agent and custodian end when their journals find no room, and go on once they are started again', async (t) => {
  if (!need(t, 'full', 'root')) return;
  const root = mkdtempSync(join(tmpdir(), 'ringfence-no-room-'));
  const disks = ['agent-1', 'custodian'].map((name) => join(root, 'house', name));
  mkdirSync(join(root, 'house'), { mode: 0o700 });
  for (const disk of disks) mountDisk(disk, '0700');
  t.after(() => {
    for (const disk of disks) unmountDisk(disk);
    rmSync(root, { recursive: true, force: true });
  });
  const armed = await startArmedHouse(root);
  try {
    for (const name of ['agent-1', 'custodian']) {
      const { exited } = armed.house.process(name);
      const free = fillDisk(join(root, 'house', name));
      // Orders make both journals grow; some are not taken meanwhile.
      const stop = new AbortController();
      const orders = keepOrdering(armed, stop.signal);
      const exit = await exited;
      stop.abort();
      assert.deepEqual([exit.code, exit.signal], [1, null], `${name} ends by itself`);
      free();
      await armed.house.restart(name);
      await orders;
      await until(armed, WITHIN_MS, async () => {
        const [agent] = await untilTaken(() => armed.session.controlPlane.agents());
        return agent?.online === true ? { done: true } : { waiting: 'for the agent' };
      });
      const job = await untilTaken(() => orderJob(armed, { retry: RETRY }));
      await assertCommittedOnce(armed, job, await untilOver(armed, job, WITHIN_MS), `after ${name}`);
    }
  } finally {
    await armed.close();
  }
});

/** One order after another; after one that is refused the custodian is asked until it answers, and nothing is expected of it. */
async function keepOrdering(armed: Parameters<typeof orderJob>[0], signal: AbortSignal): Promise<void> {
  while (!signal.aborted)
    await orderJob(armed, { retry: 'none' }).catch(() =>
      untilTaken(() => armed.session.custodian.status()).catch(() => {}),
    );
}
