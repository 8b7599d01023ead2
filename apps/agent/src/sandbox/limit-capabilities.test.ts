import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitCapabilities } from './limit-capabilities.ts';

const MACHINE = { prlimit: true, root: true, openFiles: 1024 };

test('each driver says what it enforces', () => {
  const v1 = limitCapabilities({ version: 1, folders: { memory: '/m', pids: '/p', cpu: '/c' } }, MACHINE);
  assert.deepEqual([v1.driver, v1.memory, v1.cpus, v1.pids, v1.remedy], ['cgroup-v1', 'hard', true, true, null]);
  const v2 = limitCapabilities({ version: 2, folder: '/x', controllers: ['memory', 'pids'] }, MACHINE);
  assert.deepEqual([v2.driver, v2.memory, v2.cpus, v2.pids, v2.remedy], ['cgroup-v2', 'hard', false, true, null]);
  const none = limitCapabilities(null, MACHINE);
  assert.deepEqual([none.driver, none.memory, none.cpus, none.pids], ['rlimits', 'per-process', false, false]);
  assert.equal(limitCapabilities(null, { ...MACHINE, prlimit: false }).memory, 'none');
});

test('a cgroup without memory is no hard limit, and the remedy fits the user', () => {
  const pidsOnly = limitCapabilities({ version: 1, folders: { pids: '/p' } }, MACHINE);
  assert.equal(pidsOnly.memory, 'per-process');
  assert.match(pidsOnly.remedy ?? '', /memory controller/);
  assert.match(limitCapabilities(null, { ...MACHINE, root: false }).remedy ?? '', /Delegate=yes/);
});
