import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { need } from '../../../../scripts/needs.ts';
import { bootId, processStat } from './process-table.ts';
import { reapOrphans } from './reap-orphans.ts';
import { writeRecord } from './record.ts';
import type { SandboxRecord } from './record.ts';
import { openTestHost } from './sandbox-host.fixture.ts';
import type { TestHost } from './sandbox-host.fixture.ts';

/** Processes that sleep for exactly `word` seconds; tests only look with it. */
function sleepers(word: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && processStat(Number(name))?.state !== 'Z')
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1') === `sleep\0${word}\0`;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Starts an agent process with one job that leaves a daemon, and waits until all of it runs. */
async function startAgent(host: TestHost, level: string, limiting: string, word: string): Promise<ChildProcess> {
  // The marker that finds it at level process as a plain user is inherited, so the daemon keeps its environment.
  const script = `(setsid sh -c "trap '' TERM HUP; sleep ${word} & sleep ${word}; wait" >/dev/null 2>&1 &); sleep ${word}`;
  const program = join(import.meta.dirname, 'agent-process.fixture.ts');
  const args = [program, host.stateDir, level, limiting, script];
  const agent = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await until(() => sleepers(word).length === 3, 'the job and its daemon run');
  return agent;
}

async function killAgent(agent: ChildProcess): Promise<void> {
  agent.kill('SIGKILL');
  await once(agent, 'exit');
}

test('a sandboxed job dies with its agent, and boot clears what is left', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const word = `90001.${process.pid}`;
  await killAgent(await startAgent(host, 'sandbox', 'cgroup', word));
  await until(() => sleepers(word).length === 0, 'the job died with its agent');
  const reaped = await reapOrphans(host.stateDir, systemClock);
  assert.equal(reaped.length, 1);
  assert.deepEqual(readdirSync(join(host.stateDir, 'sandboxes')), []);
});

for (const [index, limiting] of ['cgroup', 'bare'].entries())
  test(`daemons of level process (${limiting}) outlive their agent and not its next boot`, async (t) => {
    const host = await openTestHost(t);
    const word = `9001${index}.${process.pid}`;
    await killAgent(await startAgent(host, 'process', limiting, word));
    assert.ok(sleepers(word).length > 0);
    const [reaped, ...others] = await reapOrphans(host.stateDir, systemClock);
    assert.ok((reaped?.processes ?? 0) > 0);
    assert.deepEqual(others, []);
    assert.deepEqual(sleepers(word), []);
    assert.deepEqual(await reapOrphans(host.stateDir, systemClock), []);
  });

/** A process that has nothing to do with any sandbox. */
async function bystander(t: TestContext): Promise<{ pid: number; startTicks: number; lives: () => boolean }> {
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  t.after(() => child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  return { pid, startTicks: processStat(pid)?.startTicks ?? 0, lives: () => processStat(pid)?.state === 'S' };
}

const RECORD = { version: 1, id: 'ab'.repeat(16), uid: null, cgroup: null, scratch: null } as const;

test('a process that only got the same number later is left alone', async (t) => {
  const host = await openTestHost(t);
  const { pid, startTicks, lives } = await bystander(t);
  await until(lives, 'the bystander sleeps');
  const records: readonly SandboxRecord[] = [
    { ...RECORD, bootId: bootId(), pid, startTicks: startTicks - 1 },
    { ...RECORD, bootId: '00000000-0000-0000-0000-000000000000', pid, startTicks },
  ];
  for (const record of records) {
    writeRecord(host.stateDir, record);
    assert.deepEqual(await reapOrphans(host.stateDir, systemClock), [{ id: RECORD.id, processes: 0 }]);
    assert.ok(lives());
  }
  // The control: with its own start time the same record does end it.
  writeRecord(host.stateDir, { ...RECORD, bootId: bootId(), pid, startTicks });
  assert.deepEqual(await reapOrphans(host.stateDir, systemClock), [{ id: RECORD.id, processes: 1 }]);
  assert.ok(!lives());
});

test('a record that is damaged or names what no sandbox made stops the boot', async (t) => {
  const host = await openTestHost(t);
  const folder = join(host.stateDir, 'sandboxes');
  mkdirSync(folder, { recursive: true });
  const good = { ...RECORD, bootId: bootId(), pid: 4_000_000, startTicks: 1 };
  const bad: readonly unknown[] = [
    '',
    '{',
    null,
    { ...good, version: 2 },
    { ...good, id: '../../x' },
    { ...good, pid: -1 },
    { ...good, pid: 1.5 },
    { ...good, uid: 0 },
    { ...good, scratch: '/etc' },
    { ...good, cgroup: { version: 1, folders: ['/sys/fs/cgroup/memory'] } },
    { ...good, cgroup: { version: 1, folders: [7] } },
  ];
  for (const value of bad) {
    writeFileSync(join(folder, 'x.json'), typeof value === 'string' ? value : JSON.stringify(value));
    await assert.rejects(reapOrphans(host.stateDir, systemClock), { code: 'bad-record' }, JSON.stringify(value));
  }
  writeFileSync(join(folder, 'x.json'), JSON.stringify(good));
  assert.equal((await reapOrphans(host.stateDir, systemClock)).length, 1);
});
