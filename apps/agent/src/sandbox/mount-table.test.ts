import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ownFolderV2, ownFoldersV1, parseMountInfo, parseOwnCgroups } from './mount-table.ts';

const DEBIAN_12 = `24 29 0:22 / /proc rw,nosuid - proc proc rw
25 29 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
`;
const HYBRID = `32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const OWN_HYBRID = '9:memory:/agents/one\n4:cpu,cpuacct:/\n0::/unit.scope\n';

test('finds the own cgroup of a version 2 machine', () => {
  const own = parseOwnCgroups('0::/system.slice/ringfence-agent.service\n');
  assert.deepEqual(ownFolderV2(parseMountInfo(DEBIAN_12), own), {
    top: '/sys/fs/cgroup',
    folder: '/sys/fs/cgroup/system.slice/ringfence-agent.service',
  });
  assert.deepEqual(ownFoldersV1(parseMountInfo(DEBIAN_12), own), {});
});

test('finds the own cgroups of a version 1 machine, controllers mounted together or apart', () => {
  assert.deepEqual(ownFoldersV1(parseMountInfo(HYBRID), parseOwnCgroups(OWN_HYBRID)), {
    memory: '/sys/fs/cgroup/memory/agents/one',
    cpu: '/sys/fs/cgroup/cpu,cpuacct',
    cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
  });
});

test('knows a mount that shows a part of the hierarchy, as in a container', () => {
  const mounts = parseMountInfo('1 2 0:9 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n');
  assert.equal(ownFolderV2(mounts, parseOwnCgroups('0::/docker/abc/x\n'))?.folder, '/sys/fs/cgroup/x');
  assert.equal(ownFolderV2(mounts, parseOwnCgroups('0::/\n'))?.folder, '/sys/fs/cgroup');
});

test('does not follow a path that leads out of the namespace', () => {
  assert.equal(ownFolderV2(parseMountInfo(DEBIAN_12), parseOwnCgroups('0::/../../init\n')), null);
});

test('undoes the escapes of mount points', () => {
  assert.equal(parseMountInfo(String.raw`1 2 0:9 / /a\040b\134c rw - ext4 /dev/x rw`)[0]?.mountPoint, '/a b\\c');
});

test('takes any text', () => {
  const pieces = fc.constantFrom(
    ' ',
    ' - ',
    '\n',
    '/',
    ':',
    '::',
    'cgroup',
    'cgroup2',
    'memory',
    ',',
    '0',
    '\\040',
    '..',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, text, (mountInfo, cgroup) => {
      const mounts = parseMountInfo(mountInfo);
      const own = parseOwnCgroups(cgroup);
      ownFoldersV1(mounts, own);
      const folder = ownFolderV2(mounts, own)?.folder ?? '';
      assert.ok(!folder.split('/').includes('..') || mounts.some((mount) => mount.mountPoint.includes('..')));
    }),
    { numRuns: 100_000 },
  );
});
