import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bootId,
  isUidBusy,
  liveProcesses,
  parseProcessStat,
  processStat,
  runsAs,
  startedWith,
  treeOf,
} from './process-table.ts';

const LINE = '4711 (node) S 1 4711 4700 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 11 0 987654 1 2 3';

test('reads the fields of /proc/PID/stat', () => {
  assert.deepEqual(parseProcessStat(LINE), { pid: 4711, state: 'S', parent: 1, session: 4700, startTicks: 987_654 });
});

test('is not fooled by a program that names itself like the fields', () => {
  const evil = LINE.replace('(node)', '(a) Z 1 1 1 (b) R 2 2)');
  assert.deepEqual(parseProcessStat(evil), parseProcessStat(LINE));
});

test('refuses what is no such line', () => {
  for (const text of [
    '',
    '1',
    '1 (x',
    '1 x) S',
    '(x) S 1 1 1',
    '1 (x) S 1',
    LINE.replace('4711 (', 'x ('),
    LINE.replace(' S ', ' 7 '),
  ])
    assert.equal(parseProcessStat(text), null, text);
});

test('never throws and never invents a number', () => {
  const pieces = fc.constantFrom('(', ')', ' ', 'S', '1', '-1', '1e3', 'NaN', '99999999999999999999', '\n', '0x1', 'ß');
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (line) => {
      const stat = parseProcessStat(line);
      if (stat === null) return;
      for (const value of [stat.pid, stat.parent, stat.session, stat.startTicks])
        assert.ok(Number.isSafeInteger(value));
    }),
    { numRuns: 100_000 },
  );
});

test('walks a tree of processes, and stops where parents form a ring', () => {
  const at = (pid: number, parent: number) => ({ pid, parent, state: 'S', session: 1, startTicks: 1 });
  const processes = [at(1, 0), at(2, 1), at(3, 2), at(4, 1), at(5, 9)];
  assert.deepEqual(
    treeOf(2, processes).map((stat) => stat.pid),
    [2, 3],
  );
  assert.deepEqual(
    treeOf(1, processes).map((stat) => stat.pid),
    [1, 2, 4, 3],
  );
  assert.deepEqual(treeOf(7, processes), []);
});

test('sees this process and its children as they are', async () => {
  const child = spawn('/bin/sleep', ['60'], { env: { MARK: 'one' } });
  try {
    const pid = child.pid ?? 0;
    const own = processStat(process.pid);
    assert.equal(own?.parent, process.ppid);
    assert.ok(treeOf(process.pid, liveProcesses()).some((stat) => stat.pid === pid));
    assert.ok(startedWith(pid, 'MARK=one') && !startedWith(pid, 'MARK=on') && !startedWith(pid, 'MARK=one2'));
    const uid = process.getuid?.() ?? 0;
    assert.ok(runsAs(pid, uid, 1) && !runsAs(pid, uid + 1, 5));
    assert.ok(isUidBusy(uid) && !isUidBusy(2_000_000_011));
    assert.match(bootId(), /^[0-9a-f-]{36}$/);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
