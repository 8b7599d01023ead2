import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attachedTo, parsePostmasterFile } from './postmaster-file.ts';
import { parseStat, servesData } from './process-entry.ts';

const FILE = '4711\n/srv/data\n1784582225\n5432\n/tmp/rf-db-x\n\n  2621443    131074\nready   \n';

test('postmaster.pid is read as the server writes it', () => {
  assert.deepEqual(parsePostmasterFile(FILE), {
    pid: 4711,
    data: '/srv/data',
    socketDir: '/tmp/rf-db-x',
    sharedMemoryId: 131074,
    status: 'ready',
  });
});

test('a file that is being written has no segment and no status yet', () => {
  const file = parsePostmasterFile('4711\n/srv/data\n1784582225\n5432\n');
  assert.deepEqual([file?.pid, file?.sharedMemoryId, file?.status], [4711, 0, 'unknown']);
});

test('1e5 broken files give undefined or a positive pid, never an exception', () => {
  const line = fc.oneof(fc.string(), fc.integer().map(String), fc.constantFrom('', 'ready', '1 2', '-1', '0'));
  const file = fc.array(line, { maxLength: 10 }).map((lines) => lines.join('\n'));
  const check = (text: string): boolean => {
    const parsed = parsePostmasterFile(text);
    return parsed === undefined || (Number.isSafeInteger(parsed.pid) && parsed.pid > 0);
  };
  fc.assert(fc.property(file, check), { numRuns: 100_000 });
});

test('attached processes come from the row of that segment', () => {
  const table = [
    '       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid',
    '   2621443     131074   600                    56  4711  4712      3   101   104   101   104',
    '   2621444          7   600                    56  4711  4712      9   101   104   101   104',
  ].join('\n');
  assert.equal(attachedTo(131074, table), 3);
  assert.equal(attachedTo(5, table), 0);
  assert.equal(attachedTo(0, ''), 0);
});

test('the state and start time survive a process name with brackets and spaces', () => {
  const rest = Array.from({ length: 40 }, (_, at) => String(at + 4)).join(' ');
  assert.deepEqual(parseStat(`42 (a) S (b) R ${rest}`), { state: 'R', started: '22' });
  assert.equal(parseStat('42 (short) R 1 2'), undefined);
});

test('only the server of that folder under that account counts', () => {
  const entry = { pid: 1, uid: 101, started: '5', command: ['/p/bin/postgres', '-D', '/srv/data', '-c', 'port=1'] };
  assert.equal(servesData(entry, '/srv/data', 101), true);
  assert.equal(servesData(entry, '/srv/data', 102), false);
  assert.equal(servesData(entry, '/srv/data2', 101), false);
  assert.equal(servesData({ ...entry, command: ['/bin/sh', '-D', '/srv/data'] }, '/srv/data', 101), false);
  assert.equal(servesData({ ...entry, command: [] }, '/srv/data', 101), false);
});
