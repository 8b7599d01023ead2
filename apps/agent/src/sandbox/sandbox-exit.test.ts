import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childPidIn, sandboxExit } from './sandbox-exit.ts';
import type { Ending } from './sandbox-exit.ts';

const STARTED = '{ "child-pid": 8123, "net-namespace": 4026532183 }\n';
const RAN = `${STARTED}{ "exit-code": 0 }\n`;
const CLEAN: Ending = { cause: null, code: 0, signal: null, status: RAN, usage: null, wallMs: 12 };
const names = (number: number) => (number === 9 ? 'SIGKILL' : null);
const exitOf = (over: Partial<Ending>) => sandboxExit({ ...CLEAN, ...over }, names);

test('a job that ends by itself', () => {
  assert.deepEqual(exitOf({}), {
    ended: 'exited',
    code: 0,
    signal: null,
    oom: null,
    peakMemoryBytes: null,
    cpuMs: null,
    wallMs: 12,
  });
  assert.equal(exitOf({ code: 3, status: `${STARTED}{ "exit-code": 3 }` }).code, 3);
});

test('bubblewrap that fails before the job began is no exit of the job', () => {
  assert.equal(exitOf({ code: 1, status: STARTED }).ended, 'not-started');
  assert.equal(exitOf({ code: 1, status: '' }).ended, 'not-started');
  assert.equal(exitOf({ code: 1, status: null }).ended, 'exited', 'level process has no bubblewrap');
});

test('the reason for which the agent ended it comes first', () => {
  for (const cause of ['stopped', 'timed-out', 'disk-full'] as const)
    assert.equal(exitOf({ cause, code: null, signal: 'SIGKILL', status: STARTED }).ended, cause);
});

test('a signal is told from an exit code', () => {
  assert.deepEqual([exitOf({ code: 137 }).signal, exitOf({ code: 137 }).code], ['SIGKILL', null]);
  assert.deepEqual([exitOf({ code: 255 }).signal, exitOf({ code: 255 }).code], [null, 255]);
  assert.deepEqual([exitOf({ code: 137, status: null }).signal, exitOf({ code: 137, status: null }).code], [null, 137]);
  assert.equal(exitOf({ code: null, signal: 'SIGTERM', status: null }).signal, 'SIGTERM');
});

test('usage is told as far as it is known', () => {
  const usage = { peakMemoryBytes: 5, cpuMs: 6, oomKills: 1 };
  const { oom, peakMemoryBytes, cpuMs } = exitOf({ usage });
  assert.deepEqual({ oom, peakMemoryBytes, cpuMs }, { oom: true, peakMemoryBytes: 5, cpuMs: 6 });
  assert.equal(exitOf({ usage: { ...usage, oomKills: 0 } }).oom, false);
  assert.equal(exitOf({ usage: { ...usage, oomKills: null } }).oom, null);
});

test('the pid of the sandbox is read from the status lines', () => {
  assert.equal(childPidIn(RAN), 8123);
  for (const text of ['', '{ "child-pid": ', '{ "child-pid": "x" }', '{ "exit-code": 1 }'])
    assert.equal(childPidIn(text), null);
});
