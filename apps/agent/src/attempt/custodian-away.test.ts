import assert from 'node:assert/strict';
import { globSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { until } from '@ringfence/base/until';
import { JumpingClock } from './jumping-clock.fixture.ts';
import { WORKLOAD } from './members.fixture.ts';
import { openOrganisation } from './organisation.fixture.ts';

const HOUR_MS = 3_600_000;
const HEARTBEAT_MS = 10_000;
const LEASE_MS = 30_000;
/** One of so many heartbeats brings another job. */
const NEW_JOB_EVERY = 60;

test('an hour without its custodian: what runs goes on, ends and commits afterwards; what is new is refused for that reason', async (t) => {
  const clock = new JumpingClock();
  const organisation = await openOrganisation(t, {}, clock);
  const { runner, wishes, log, machine } = organisation;
  const logged = (job: string, text: string): boolean => log.some((line) => line.includes(job) && line.includes(text));
  const run = 'touch begun; until [ -e over ]; do sleep 0.05; done; echo done';
  const { job } = await organisation.lease({ workload: { ...WORKLOAD, run, maxDurationMs: 2 * HOUR_MS } });
  const places = { cwd: dirname(machine.state) };
  await until(() => globSync('**/begun', places).length === 1, 'the job runs');
  const folder = join(places.cwd, dirname(globSync('**/begun', places)[0] ?? assert.fail()));
  wishes.away = true;
  for (let beat = 0; beat * HEARTBEAT_MS < HOUR_MS; beat += 1) {
    clock.jump(HEARTBEAT_MS);
    runner.renew({ job, attempt: 1 }, clock.monotonic() + LEASE_MS);
    if (beat % NEW_JOB_EVERY > 0) continue;
    const other = await organisation.lease();
    await until(() => {
      clock.jump(1_000);
      runner.renew({ job, attempt: 1 }, clock.monotonic() + LEASE_MS);
      return logged(other.job, 'custodian-unreachable');
    }, 'the new one is refused');
  }
  assert.ok(!logged(job, 'attempt.ended'), log.join(''));
  // It ends while nobody can take its results, and holds them without a lease.
  writeFileSync(join(folder, 'over'), '');
  await until(() => organisation.requests.includes('/v1/commits'), 'it asks for its commit');
  clock.jump(2 * LEASE_MS);
  assert.ok(!logged(job, 'attempt.ended'), 'its results wait');
  wishes.away = false;
  await until(() => {
    clock.jump(1_000);
    return runner.live === 0;
  }, 'it is over');
  assert.ok(logged(job, '"status":"succeeded"'), log.join(''));
  assert.deepEqual(organisation.output(job), ['done']);
  const next = await organisation.lease();
  await organisation.settled();
  assert.ok(logged(next.job, '"status":"succeeded"'), 'and new ones start');
});
