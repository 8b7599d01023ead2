import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { until } from '@ringfence/base/until';
import { need } from '../../../../scripts/needs.ts';
import { claimCgroupBase } from './claim-cgroups.ts';
import type { Cgroup } from './cgroup.ts';
import { writeLimitsV1 } from './cgroup-v1.ts';
import { writeLimitsV2 } from './cgroup-v2.ts';
import { ownFolderV2, parseMountInfo, parseOwnCgroups } from './mount-table.ts';
import { createCgroup, openCgroup } from './open-cgroup.ts';

const ID = Buffer.from(`${process.pid}`.padStart(16, '0')).toString('hex');

/** Files as a kernel would show them, in plain folders. */
function fakeCgroup(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-cgroup-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const LIMITS = { base: { version: 1, folders: {} }, memoryBytes: 1000, cpus: 1.5, pids: 7 } as const;

test('version 1 limits go to the files of their hierarchy', (t) => {
  const memory = fakeCgroup(t, { 'memory.limit_in_bytes': '', 'memory.memsw.limit_in_bytes': '' });
  const cpu = fakeCgroup(t, { 'cpu.cfs_period_us': '', 'cpu.cfs_quota_us': '', 'pids.max': '' });
  writeLimitsV1([memory, cpu], LIMITS);
  const read = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8');
  assert.equal(read(memory, 'memory.limit_in_bytes'), '1000');
  assert.equal(read(memory, 'memory.memsw.limit_in_bytes'), '1000');
  assert.deepEqual([read(cpu, 'cpu.cfs_period_us'), read(cpu, 'cpu.cfs_quota_us')], ['100000', '150000']);
  assert.equal(read(cpu, 'pids.max'), '7');
});

test('version 2 limits go to their files, and only those of controllers that are on', (t) => {
  const names = ['memory.max', 'memory.swap.max', 'memory.oom.group', 'pids.max', 'cpu.max'];
  const empty = Object.fromEntries(names.map((name) => [name, '']));
  const all = fakeCgroup(t, empty);
  writeLimitsV2([all], LIMITS, ['memory', 'pids', 'cpu']);
  const texts = (folder: string) => names.map((name) => readFileSync(join(folder, name), 'utf8'));
  assert.deepEqual(texts(all), ['1000', '0', '1', '7', '150000 100000']);
  const some = fakeCgroup(t, empty);
  writeLimitsV2([some], { ...LIMITS, memoryBytes: null }, ['memory', 'pids']);
  assert.deepEqual(texts(some), ['', '', '', '7', '']);
});

test('usage is read from the files of either version, and missing ones are unknown', (t) => {
  const v1 = fakeCgroup(t, {
    'memory.max_usage_in_bytes': '4096\n',
    'cpuacct.usage': '2500000\n',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
  });
  assert.deepEqual(openCgroup(1, [v1]).usage(), { peakMemoryBytes: 4096, cpuMs: 3, oomKills: 2 });
  const v2 = fakeCgroup(t, {
    'memory.peak': '8192\n',
    'cpu.stat': 'usage_usec 1500\nuser_usec 1\n',
    'memory.events': 'low 0\noom 1\noom_kill 1\noom_group_kill 1\n',
  });
  assert.deepEqual(openCgroup(2, [v2]).usage(), { peakMemoryBytes: 8192, cpuMs: 2, oomKills: 1 });
  const unknown = { peakMemoryBytes: null, cpuMs: null, oomKills: null };
  for (const version of [1, 2] as const) assert.deepEqual(openCgroup(version, [tmpdir(), '/absent']).usage(), unknown);
});

test('a cgroup whose limits cannot be written is not left behind', (t) => {
  const folder = fakeCgroup(t, {});
  mkdirSync(join(folder, `ringfence.${ID}`));
  const base = { version: 2, folder, controllers: [] } as const;
  assert.throws(() => createCgroup({ ...LIMITS, base }, ID), { code: 'cgroup-failed' });
});

/** Puts a shell with children in `cgroup`, kills them, and waits until it can be removed. */
async function killsEverything(cgroup: Cgroup): Promise<void> {
  const script = 'read go; setsid sleep 600 & setsid setsid sleep 600 & sleep 600';
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] });
  try {
    cgroup.add(child.pid ?? 0);
    child.stdin.end('go\n');
    await until(() => cgroup.processes().length === 4, 'the children are in the cgroup too');
    assert.equal(cgroup.remove(), false, 'busy');
    const exited = once(child, 'exit');
    cgroup.kill();
    const [code, signal] = (await exited) as [number | null, string | null];
    // The shell may see its child killed first and end by itself.
    assert.ok(signal === 'SIGKILL' || code === 137, `${code} ${signal}`);
    await until(() => cgroup.remove(), 'all are gone');
    for (const folder of cgroup.folders) assert.ok(!existsSync(folder));
  } finally {
    child.kill('SIGKILL');
    cgroup.kill();
    await until(() => cgroup.remove(), 'nothing is left of the test');
  }
}

test('the cgroups of this machine hold, count and kill', async (t) => {
  if (!need(t, 'root')) return;
  const base = claimCgroupBase();
  if (base === null) return t.skip('needs a writable cgroup (run as root outside of a container)');
  t.diagnostic(`cgroup version ${base.version}`);
  const cgroup = createCgroup({ base, memoryBytes: 2 ** 26, cpus: 1, pids: 20 }, ID);
  await killsEverything(cgroup);
  assert.deepEqual(openCgroup(cgroup.version, cgroup.folders).processes(), []);
});

test('a version 2 hierarchy without controllers still kills as one', async (t) => {
  if (!need(t, 'root')) return;
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const place = ownFolderV2(mounts, parseOwnCgroups(readFileSync('/proc/self/cgroup', 'utf8')));
  if (place === null) return t.skip('needs a version 2 cgroup mount');
  const base = { version: 2, folder: place.top, controllers: [] } as const;
  const cgroup = createCgroup({ base, memoryBytes: null, cpus: null, pids: null }, `${ID}02`);
  await killsEverything(cgroup);
});
