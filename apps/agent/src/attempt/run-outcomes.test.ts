import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { until } from '@ringfence/base/until';
import { SKIP_PREFIX, need } from '../../../../scripts/needs.ts';
import type { Workload } from '@ringfence/protocol/payload';
import { AttemptFolder } from './attempt-folder.ts';
import { KILL_BEFORE_MS, STOP_BEFORE_MS } from './attempt-machine.ts';
import { JumpingClock } from './jumping-clock.fixture.ts';
import { WORKLOAD } from './members.fixture.ts';
import { openOrganisation, type TestOrganisation } from './organisation.fixture.ts';

/** A number that no other program on this machine sleeps for. */
let naps = 100_000 + (process.pid % 50_000);

/** A job whose whole tree pays no heed to SIGTERM: children, and one in a session of its own. */
function stubborn(): { workload: Workload; alive: () => number } {
  naps += 1;
  const nap = `${naps}.25`;
  const run = `trap '' TERM\nsleep ${nap} & setsid sleep ${nap} & echo up\nwait\nsleep ${nap}`;
  return { workload: { ...WORKLOAD, run, isolation: 'sandbox' }, alive: () => sleepers(nap) };
}

function sleepers(nap: string): number {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid) === `sleep\0${nap}\0`).length;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function endings(organisation: TestOrganisation): readonly string[] {
  return organisation.log.flatMap((line) => /"attempt.ended".*"status":"([a-z-]+)"/.exec(line)?.[1] ?? []);
}

async function runOnce(t: TestContext, over: Partial<Workload>): Promise<TestOrganisation & { job: string }> {
  const organisation = await openOrganisation(t);
  const { job } = await organisation.lease({ workload: { ...WORKLOAD, isolation: 'sandbox', ...over } });
  await organisation.settled();
  return { ...organisation, job };
}

describe('without a renewal', () => {
  it('the whole tree is gone before the lease ends, however it clings', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const clock = new JumpingClock();
    const organisation = await openOrganisation(t, {}, clock);
    const { workload, alive } = stubborn();
    const { deadline } = await organisation.lease({ workload });
    await until(() => alive() === 2, 'the job runs');
    clock.jump(deadline - STOP_BEFORE_MS - 1_000 - clock.monotonic());
    assert.equal(alive(), 2, 'nothing ends it while its lease holds');
    clock.jump(1_000);
    assert.equal(alive(), 2, 'it pays no heed to SIGTERM');
    clock.jump(deadline - KILL_BEFORE_MS - clock.monotonic());
    await until(() => alive() === 0, 'the tree is gone');
    assert.ok(clock.monotonic() < deadline, 'something ran on without a lease');
    await organisation.settled();
    assert.deepEqual(endings(organisation), ['lease-lost']);
    assert.deepEqual(organisation.facts(), ['leased', 'granted', 'starting', 'stopped', 'told']);
    assert.ok(!organisation.requests.includes('/v1/commits'));
  });

  it('a renewal gives time until its own end and no longer, and only to its own attempt', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const clock = new JumpingClock();
    const organisation = await openOrganisation(t, {}, clock);
    const { workload, alive } = stubborn();
    const { job, deadline } = await organisation.lease({ workload });
    const id = { job, attempt: 1 };
    await until(() => alive() === 2, 'the job runs');
    organisation.runner.renew(id, deadline + 20_000);
    organisation.runner.renew(id, deadline + 10_000);
    organisation.runner.renew({ job, attempt: 2 }, deadline + 90_000);
    clock.jump(deadline + 1_000 - clock.monotonic());
    assert.equal(alive(), 2, 'the renewal counted');
    clock.jump(deadline + 20_000 - KILL_BEFORE_MS - clock.monotonic());
    await until(() => alive() === 0, 'the tree is gone');
    assert.ok(clock.monotonic() < deadline + 20_000);
    await organisation.settled();
    assert.deepEqual(endings(organisation), ['lease-lost']);
  });
});

describe('a job ends as', () => {
  it('stopped, when its owner says so, and nothing of it is committed', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const organisation = await openOrganisation(t);
    const { workload, alive } = stubborn();
    const { job } = await organisation.lease({ workload });
    await until(() => alive() === 2, 'the job runs');
    organisation.runner.stop({ job, attempt: 1 }, { graceMs: 50, reason: 'requested' });
    await organisation.settled();
    assert.equal(alive(), 0);
    assert.deepEqual(endings(organisation), ['stopped']);
    assert.ok(!organisation.requests.includes('/v1/commits'));
  });

  it('interrupted, when its machine is drained', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const organisation = await openOrganisation(t);
    const { workload, alive } = stubborn();
    const { job } = await organisation.lease({ workload });
    await until(() => alive() === 2, 'the job runs');
    organisation.runner.stop({ job, attempt: 1 }, { graceMs: 50, reason: 'drain' });
    await organisation.settled();
    assert.equal(alive(), 0);
    assert.deepEqual(endings(organisation), ['interrupted']);
    const { about } = new AttemptFolder(organisation.machine.state, { job, attempt: 1 });
    assert.equal(about?.view.failure, null, 'the signal that ended it is no failure of the job');
  });

  it('interrupted, when the agent stops', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const organisation = await openOrganisation(t);
    const { workload, alive } = stubborn();
    await organisation.lease({ workload });
    await until(() => alive() === 2, 'the job runs');
    await organisation.runner.close(1_000);
    assert.equal(alive(), 0);
    assert.deepEqual(endings(organisation), ['interrupted']);
  });

  it('timed-out, when it takes longer than it may', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const organisation = await runOnce(t, { run: 'sleep 60', maxDurationMs: 1_000 });
    assert.deepEqual(endings(organisation), ['timed-out']);
  });

  it('out-of-memory, when it takes more than it may', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const resources = { ...WORKLOAD.resources, memoryBytes: 48_000_000, hardLimits: true };
    const organisation = await openOrganisation(t);
    if (organisation.machine.capabilities.limits.memory !== 'hard')
      return t.skip(`${SKIP_PREFIX}root (run as root, for a memory cgroup)`);
    // tail keeps a line without end in memory.
    const workload: Workload = { ...WORKLOAD, isolation: 'sandbox', resources, run: 'tail -n 1 /dev/zero' };
    await organisation.lease({ workload });
    await organisation.settled();
    assert.deepEqual(endings(organisation), ['out-of-memory']);
  });

  it('failed, when it signed no disk and writes more than the least of a job file', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const resources = { ...WORKLOAD.resources, diskBytes: 0 };
    const organisation = await runOnce(t, { resources, run: 'head -c 2000000 /dev/zero > large' });
    assert.deepEqual(endings(organisation), ['failed']);
    assert.deepEqual(endings(await runOnce(t, { resources, run: 'head -c 500000 /dev/zero > small' })), ['succeeded']);
  });

  it('failed, when it says so itself', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    assert.deepEqual(endings(await runOnce(t, { run: 'exit 7' })), ['failed']);
  });

  it('setup-failed, and does not run, when its setup fails', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const organisation = await runOnce(t, { setup: 'exit 7', run: 'echo ran' });
    assert.deepEqual(endings(organisation), ['setup-failed']);
    assert.ok(!organisation.facts().includes('starting'));
  });
});

describe('a setup', () => {
  it('sees no variable of the job and no network, and what it made serves later attempts as it was', async (t) => {
    if (!need(t, 'bubblewrap')) return;
    const organisation = await openOrganisation(t);
    const setup = `test -z "$MARK" && test "$(tail -n +3 /proc/net/dev | wc -l)" = 1 && echo ${naps} > made && mkdir sealed && chmod 500 sealed && echo done`;
    const run = 'cat made\necho changed > made\nchmod 700 sealed\ntouch sealed/x';
    const workload: Workload = { ...WORKLOAD, isolation: 'sandbox', setup, run, env: { MARK: 'x' } };
    const first = await organisation.lease({ workload });
    await organisation.settled();
    const second = await organisation.lease({ workload });
    await organisation.settled();
    assert.deepEqual(endings(organisation), ['succeeded', 'succeeded']);
    assert.deepEqual(organisation.output(first.job), ['done', String(naps)]);
    const reused = 'ringfence: the result of an earlier setup of this code is used';
    assert.deepEqual(organisation.output(second.job), [reused, String(naps)]);
    const other = await organisation.lease({ workload: { ...workload, setup: `${setup} again` } });
    await organisation.settled();
    assert.deepEqual(organisation.output(other.job), ['done again', String(naps)]);
  });
});
