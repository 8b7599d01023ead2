// A job that wants out by files. Each attack says ESCAPED when it worked; the controls at level process show that it would.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { need } from '../../../../../scripts/needs.ts';
import { atEveryLevel, escapesOf, openGround, UNPROTECTED, type Ground } from './levels.fixture.ts';

/** Ways to a file of the machine that everybody may read. */
function readAttacks({ secret }: Ground): string {
  return `
agent = ${process.pid}
paths = [${JSON.stringify(secret)}, '/proc/1/root' + ${JSON.stringify(secret)}, f'/proc/{agent}/root' + ${JSON.stringify(secret)},
  '/proc/self/root/../..' + ${JSON.stringify(secret)}, '/data/../..' + ${JSON.stringify(secret)}, '/out/planted', '/proc/1/cwd/..' + ${JSON.stringify(secret)}]
for path in paths:
    attack('read ' + path.replace(${JSON.stringify(secret)}, '/SECRET'), lambda: open(path).read())
for path in ['/etc/shadow', '/etc/hostname', '/etc/machine-id', '/root/.bashrc', '/var/lib/dpkg/status', '/proc/kcore', '/proc/kallsyms', f'/proc/{agent}/environ', f'/proc/{agent}/maps']:
    attack('read ' + path, lambda: len(open(path, 'rb').read(64)) > 0)
for folder in ['/home', '/root', '/var/lib', '/boot', '/srv', '/usr/local/etc', f'/proc/{agent}/fd']:
    attack('list ' + folder, lambda: len(os.listdir(folder)) > 0)
`;
}

atEveryLevel('reads outside of what was given', async (t, at) => {
  const ground = await openGround(t, at);
  symlinkSync(ground.secret, join(ground.out, 'planted'));
  assert.deepEqual(await escapesOf(ground, readAttacks(ground)), []);
});

test('control: at level process the same reads succeed', async (t) => {
  if (!need(t, 'root', 'python3')) return;
  const ground = await openGround(t, UNPROTECTED);
  const escapes = await escapesOf(ground, readAttacks(ground));
  assert.ok(escapes.includes('read /SECRET'), escapes.join());
  assert.ok(escapes.includes('list /var/lib'), escapes.join());
});

/** Ways to change data that is mounted to be read. */
const WRITES = `
data = sys.argv[1] if len(sys.argv) > 1 else '/data'
rows = data + '/rows.csv'
attack('write', lambda: open(rows, 'w').write('mine'))
attack('append', lambda: open(rows, 'a').write('mine'))
attack('truncate', lambda: os.truncate(rows, 0))
attack('create', lambda: open(data + '/new', 'w').write('mine'))
attack('folder', lambda: os.mkdir(data + '/folder'))
attack('rename', lambda: os.rename(rows, data + '/moved'))
attack('remove', lambda: os.unlink(rows))
attack('mode', lambda: os.chmod(rows, 0o600))
attack('times', lambda: os.utime(rows, (0, 0)))
attack('attribute', lambda: os.setxattr(rows, 'user.mine', b'x'))
attack('link into data', lambda: os.symlink('/etc/passwd', data + '/link'))
attack('hard link out of data', lambda: os.link(rows, '/out/hard'))
def reopened():
    fd = os.open(rows, os.O_RDONLY)
    os.write(os.open(f'/proc/self/fd/{fd}', os.O_WRONLY), b'mine')
attack('reopen for writing', reopened)
import mmap
attack('shared mapping', lambda: mmap.mmap(os.open(rows, os.O_RDWR), 0))
attack('remount', lambda: call(165, b'none', data.encode(), b'none', 0x1020, 0) == 0)
for path in ['/usr/bin/planted', '/etc/passwd', '/bin/planted', '/planted', '/ringfence/planted', '/proc/sys/kernel/hostname']:
    attack('write ' + path, lambda: os.write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), b'mine'))
`;

atEveryLevel('writes to data and to the system', async (t, at) => {
  const ground = await openGround(t, at);
  const before = statSync(join(ground.data, 'rows.csv'));
  assert.deepEqual(await escapesOf(ground, WRITES), []);
  const after = statSync(join(ground.data, 'rows.csv'));
  assert.equal(readFileSync(join(ground.data, 'rows.csv'), 'utf8'), 'a,b\n');
  assert.deepEqual(readdirSync(ground.data), ['rows.csv']);
  assert.deepEqual([after.mtimeMs, after.mode, after.nlink], [before.mtimeMs, before.mode, 1]);
});

test('control: where the mount lets it, the same writes succeed', async (t) => {
  if (!need(t, 'root', 'bubblewrap', 'python3')) return;
  const ground = await openGround(t, { ...UNPROTECTED, level: 'sandbox' });
  const mounts = ground.mounts.map((mount) => ({ ...mount, mode: 'rw' as const }));
  const escapes = await escapesOf({ ...ground, mounts }, WRITES);
  for (const way of ['write', 'append', 'create', 'rename'])
    assert.ok(escapes.includes(way), `${way} in ${escapes.join()}`);
  assert.notDeepEqual(readdirSync(ground.data), ['rows.csv']);
});

/** A node is out where a device of the machine answers through it; gVisor makes nodes of its own devices, which lead nowhere. */
const DEVICES = `
for name, kind, major, minor in [('disk', stat.S_IFBLK, 254, 0), ('loop', stat.S_IFBLK, 7, 0), ('mem', stat.S_IFCHR, 1, 1), ('log', stat.S_IFCHR, 1, 11)]:
    for folder in ['/out', '/tmp']:
        def made():
            os.mknod(f'{folder}/{name}', kind | 0o666, os.makedev(major, minor))
            os.open(f'{folder}/{name}', os.O_RDONLY)
        attack(f'make {name} in {folder}', made)
for path in ['/dev/mem', '/dev/kmsg', '/dev/sda', '/dev/vda', '/dev/loop0', '/dev/kvm', '/dev/nvidiactl', '/dev/input/event0', '/out/planted-log', '/out/planted-loop']:
    attack('open ' + path, lambda: os.open(path, os.O_RDONLY))
`;
/** Devices of the machine that a kernel of its own has under the same names. */
const SHARED_DEVICES = `
for path in ['/dev/fuse', '/dev/net/tun', '/out/planted-zero']:
    attack('open ' + path, lambda: os.open(path, os.O_RDONLY))
attack('make null', lambda: os.mknod('/tmp/null', stat.S_IFCHR | 0o666, os.makedev(1, 3)))
`;
const PLANTED = [
  ['planted-zero', 'c', '1', '5'],
  ['planted-log', 'c', '1', '11'],
  ['planted-loop', 'b', '7', '0'],
] as const;

atEveryLevel('device nodes', async (t, at) => {
  const ground = await openGround(t, at);
  for (const [name, ...node] of PLANTED)
    assert.equal(spawnSync('mknod', ['-m', '666', join(ground.out, name), ...node]).status, 0);
  assert.deepEqual(await escapesOf(ground, at.sharesKernel ? DEVICES + SHARED_DEVICES : DEVICES), []);
});

test('control: at level process the planted node answers', async (t) => {
  if (!need(t, 'root', 'python3')) return;
  const ground = await openGround(t, UNPROTECTED);
  for (const [name, ...node] of PLANTED) spawnSync('mknod', ['-m', '666', join(ground.out, name), ...node]);
  const escapes = await escapesOf(ground, SHARED_DEVICES.replaceAll('/out', ground.out));
  assert.ok(escapes.includes(`open ${ground.out}/planted-zero`), escapes.join());
});
