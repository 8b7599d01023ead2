import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { need } from '../../../../scripts/needs.ts';
import type { SandboxLevel } from './isolation.ts';
import { liveProcesses, runsAs } from './process-table.ts';
import { identityOf, jobFolder, openTestHost, runJob } from './sandbox-host.fixture.ts';
import type { TestHost } from './sandbox-host.fixture.ts';

const LEVELS: readonly SandboxLevel[] = ['process', 'sandbox'];
const MEGABYTE = 2 ** 20;

async function openFor(t: TestContext, level: SandboxLevel): Promise<TestHost | null> {
  return level === 'sandbox' && !need(t, 'bubblewrap') ? null : openTestHost(t);
}

function leftovers(host: TestHost): readonly number[] {
  if (host.capabilities.users.kind === 'own') return [];
  const { uid } = identityOf(host);
  return liveProcesses()
    .map((stat) => stat.pid)
    .filter((pid) => runsAs(pid, uid, 1));
}

for (const level of LEVELS) {
  test(`a fork bomb at level ${level} stops at its limit and is gone afterwards`, async (t) => {
    const host = await openFor(t, level);
    if (host === null) return;
    if (level === 'process' && !host.capabilities.limits.pids && host.capabilities.users.kind === 'own')
      return t.skip('needs root (run as root)');
    const script = 'i=0; while [ $i -lt 300 ]; do sleep 300 & i=$((i+1)); echo $i; done';
    const { stdout, exit } = await runJob(host, { level, command: ['/bin/sh', '-c', script], limits: { pids: 20 } });
    const forked = stdout.trim().split('\n').length;
    assert.ok(forked >= 10 && forked < 20, `forked ${forked} times`);
    assert.notEqual(exit.code, 0);
    assert.deepEqual(leftovers(host), []);
  });

  test(`a memory bomb at level ${level} is killed and reported as out of memory`, async (t) => {
    const host = await openFor(t, level);
    if (host === null) return;
    if (host.capabilities.limits.memory !== 'hard') return t.skip('needs root (run as root, for a memory cgroup)');
    const limits = { memoryBytes: 48 * MEGABYTE, hardMemory: true };
    // tail keeps a line without end in memory.
    const command = ['/bin/sh', '-c', 'head -c 300000000 /dev/zero | tail -n 1 | wc -c'];
    const { exit } = await runJob(host, { level, command, limits });
    assert.equal(exit.oom, true);
    assert.ok((exit.peakMemoryBytes ?? 0) > 40 * MEGABYTE && (exit.peakMemoryBytes ?? 0) <= 48 * MEGABYTE);
    const modest = await runJob(host, { level, command: ['/bin/true'], limits });
    assert.equal(modest.exit.oom, false);
    assert.ok((modest.exit.peakMemoryBytes ?? 0) < 20 * MEGABYTE);
  });
}

test('temporary files count as memory, and their own limit holds first', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const script = 'head -c 3000000 /dev/zero > /tmp/x || echo full; head -c 3000000 /dev/zero > /dev/shm/x || echo full';
  const command = ['/bin/sh', '-c', script];
  const small = await runJob(host, { command, tmpfsBytes: MEGABYTE });
  assert.equal(small.stdout, 'full\nfull\n');
  if (host.capabilities.limits.memory !== 'hard') return;
  const bomb = ['/bin/sh', '-c', 'head -c 300000000 /dev/zero > /dev/shm/x'];
  const large = await runJob(host, {
    command: bomb,
    tmpfsBytes: 512 * MEGABYTE,
    limits: { memoryBytes: 48 * MEGABYTE },
  });
  assert.equal(large.exit.oom, true);
});

test('processor time is limited and reported', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  if (!host.capabilities.limits.cpus) return t.skip('needs root (run as root, for a processor cgroup)');
  const command = ['/bin/sh', '-c', 'while :; do :; done'];
  const { exit } = await runJob(host, { command, limits: { cpus: 0.2 }, maxDurationMs: 1500, stopGraceMs: 1 });
  const share = (exit.cpuMs ?? 0) / exit.wallMs;
  assert.ok(share > 0.05 && share < 0.35, `used ${share} of a core`);
});

test('without cgroups each process is limited on its own, and the report says that nobody counted', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const limits = {
    ...host.capabilities.limits,
    driver: 'rlimits',
    base: null,
    memory: 'per-process',
    cpus: false,
    pids: false,
  } as const;
  const bare = { ...host, capabilities: { ...host.capabilities, limits } };
  const command = [
    '/bin/sh',
    '-c',
    'head -c 300000000 /dev/zero | tail -n 1 | wc -c; i=0; while [ $i -lt 60 ]; do sleep 300 & i=$((i+1)); echo $i; done',
  ];
  const { exit, stdout, stderr } = await runJob(bare, { command, limits: { memoryBytes: 48 * MEGABYTE, pids: 20 } });
  assert.match(stderr, /memory exhausted/);
  assert.ok(stdout.trim().split('\n').length < 25);
  assert.deepEqual([exit.oom, exit.peakMemoryBytes, exit.cpuMs], [null, null, null]);
  assert.deepEqual(leftovers(host), []);
});

test('disk is limited: one file by the kernel, all files by looking', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const mounts = [{ hostPath: jobFolder(host, 'out'), sandboxPath: '/out', mode: 'rw' as const }];
  const limits = { diskBytes: 4 * MEGABYTE };
  const file = await runJob(host, { command: ['/bin/sh', '-c', 'head -c 9000000 /dev/zero > /out/x'], mounts, limits });
  assert.notEqual(file.exit.code, 0);
  const many = 'i=0; while [ $i -lt 9 ]; do head -c 1000000 /dev/zero > /out/$i; i=$((i+1)); done; sleep 60';
  const { exit } = await runJob(host, { command: ['/bin/sh', '-c', many], mounts, limits });
  assert.equal(exit.ended, 'disk-full');
});

test('open files are limited', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const { stdout } = await runJob(host, {
    command: ['/bin/sh', '-c', 'ulimit -n; ulimit -Hn'],
    limits: { openFiles: 77 },
  });
  assert.equal(stdout, '77\n77\n');
});
