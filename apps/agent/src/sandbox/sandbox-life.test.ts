import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { until } from '@ringfence/base/until';
import { need } from '../../../../scripts/needs.ts';
import type { SandboxLevel } from './isolation.ts';
import { processStat } from './process-table.ts';
import { finish, jobFolder, openTestHost, planHere, runJob, startPlan } from './sandbox-host.fixture.ts';
import type { TestHost } from './sandbox-host.fixture.ts';

const LEVELS: readonly SandboxLevel[] = ['process', 'sandbox'];

async function openFor(t: TestContext, level: SandboxLevel): Promise<TestHost | null> {
  return level === 'sandbox' && !need(t, 'bubblewrap') ? null : openTestHost(t);
}

/** Living processes that have `word` in their command line. Tests only look with it; nothing is killed by name. */
function alive(word: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid || processStat(Number(name))?.state === 'Z') return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(word);
    } catch {
      return false;
    }
  });
}

/**
 * Starts a daemon that leaves session, group and parent behind, ignores SIGTERM and makes the file `daemon`. Where nothing
 * but the marker in its environment can find it (no root, no cgroup, level process) it keeps that.
 */
function daemon(host: TestHost, level: SandboxLevel, word: string): string {
  const { users, limits } = host.capabilities;
  const markerOnly = level === 'process' && users.kind === 'own' && limits.base === null;
  const sleeper = `${markerOnly ? '' : 'env -i '}sleep ${word}`;
  return `(setsid sh -c "trap '' TERM HUP INT; ${sleeper} & touch daemon; ${sleeper}; wait" >/dev/null 2>&1 &); `;
}

for (const [index, level] of LEVELS.entries()) {
  const word = `${86_400 + index}.${process.pid}`;

  test(`stopping at level ${level} ends daemons that left their session, and leaves no trace`, async (t) => {
    const host = await openFor(t, level);
    if (host === null) return;
    const script = `${daemon(host, level, word)} trap '' TERM; echo ready; sleep ${word}; sleep ${word}`;
    const job = await startPlan(host, planHere(host, { level, command: ['/bin/sh', '-c', script] }));
    await until(() => job.stdout().includes('ready') && alive(`sleep\0${word}`).length >= 3, 'the daemon runs');
    const exit = await job.running.stop(50);
    assert.equal(exit.ended, 'stopped');
    assert.ok(exit.wallMs >= 50);
    assert.deepEqual(alive(word), []);
    assert.deepEqual(readdirSync(join(host.stateDir, 'sandboxes')), []);
    assert.deepEqual(readdirSync(host.stateDir), ['sandboxes']);
  });

  test(`a daemon at level ${level} does not outlive its job`, async (t) => {
    const host = await openFor(t, level);
    if (host === null) return;
    const script = `${daemon(host, level, word)} while ! [ -e daemon ]; do sleep 0.02; done; exit 4`;
    const { exit } = await runJob(host, { level, command: ['/bin/sh', '-c', script] });
    assert.deepEqual([exit.ended, exit.code], ['exited', 4]);
    assert.deepEqual(alive(`sleep\0${word}`), []);
  });

  test(`a job at level ${level} that wants to may finish before its grace ends`, async (t) => {
    const host = await openFor(t, level);
    if (host === null) return;
    const out = jobFolder(host, 'out');
    const mounts = [{ hostPath: out, sandboxPath: '/out', mode: 'rw' as const }];
    const script = `trap 'echo saved > /out/checkpoint; exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
    const job = await startPlan(host, planHere(host, { level, command: { script }, mounts, cwd: '/out' }));
    await until(() => job.stdout().includes('ready'), 'the job runs');
    const exit = await job.running.stop(20_000);
    assert.deepEqual([exit.ended, exit.code], ['stopped', 0]);
    assert.equal(readFileSync(join(out, 'checkpoint'), 'utf8'), 'saved\n');
  });

  test(`a job at level ${level} ends when its time is up`, async (t) => {
    const host = await openFor(t, level);
    if (host === null) return;
    const command = ['/bin/sleep', '600'];
    const { exit } = await runJob(host, { level, command, maxDurationMs: 100, stopGraceMs: 5000 });
    assert.deepEqual([exit.ended, exit.signal], ['timed-out', 'SIGTERM']);
    assert.ok(exit.wallMs >= 100 && exit.wallMs < 5000);
  });

  test(`exit codes and signals at level ${level} arrive as they are`, async (t) => {
    const host = await openFor(t, level);
    if (host === null) return;
    const run = async (script: string) => {
      const { exit } = await runJob(host, { level, command: { script } });
      return [exit.ended, exit.code, exit.signal];
    };
    assert.deepEqual(await run('exit 3'), ['exited', 3, null]);
    assert.deepEqual(await run('kill -SEGV $$'), ['exited', null, 'SIGSEGV']);
    assert.deepEqual(await run('false; echo not reached'), ['exited', 1, null], 'a script ends at its first error');
  });
}

test('stopping at once, before the job began, leaves nothing', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  for (let round = 0; round < 10; round += 1) {
    const job = await startPlan(host, planHere(host, { command: ['/bin/sleep', '600'] }));
    const exit = await job.running.stop(round % 2 === 0 ? 0 : 60_000);
    assert.equal(exit.ended, 'stopped');
    assert.ok(exit.wallMs < 30_000, 'it was told to end as soon as it was there');
  }
  assert.deepEqual(readdirSync(join(host.stateDir, 'sandboxes')), []);
});

test('a sandbox that cannot be set up is told from a job that failed', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const work = jobFolder(host, 'work');
  writeFileSync(join(work, 'file'), '');
  const mounts = [
    { hostPath: work, sandboxPath: '/work', mode: 'ro' as const },
    { hostPath: work, sandboxPath: '/work/file/inner', mode: 'ro' as const },
  ];
  const { exit, stderr } = await runJob(host, { mounts });
  assert.equal(exit.ended, 'not-started');
  assert.match(stderr, /^bwrap: /);
});

test('a second job on a busy host user is refused', async (t) => {
  if (!need(t, 'bubblewrap', 'root')) return;
  const host = await openTestHost(t);
  const job = await startPlan(host, planHere(host, { command: ['/bin/sleep', '600'] }));
  await assert.rejects(startPlan(host, planHere(host, {})), { code: 'uid-busy' });
  const beside = await finish(await startPlan(host, planHere(host, { slot: 4 })));
  assert.equal(beside.exit.code, 0);
  await job.running.stop(0);
});

test('the temporary folder of level process goes with the job', async (t) => {
  const host = await openTestHost(t);
  const { stdout } = await runJob(host, { level: 'process', command: { script: 'echo x > $TMPDIR/x; echo $TMPDIR' } });
  assert.match(stdout, /ringfence-job-/);
  assert.ok(!existsSync(stdout.trim()));
});

test('how long an empty job takes', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const times: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const start = performance.now();
    assert.equal((await runJob(host, {})).exit.code, 0);
    times.push(performance.now() - start);
  }
  const median = times.toSorted((a, b) => a - b)[5] ?? 0;
  t.diagnostic(`/bin/true at level sandbox: median ${median.toFixed(1)} ms from plan to exit`);
  assert.ok(median < 2000);
});
