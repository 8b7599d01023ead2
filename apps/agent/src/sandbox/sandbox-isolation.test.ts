import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Secret } from '@ringfence/base';
import { need } from '../../../../scripts/needs.ts';
import type { SandboxPlan } from './plan.ts';
import {
  finish,
  identityOf,
  jobFolder,
  nodeRuntime,
  openTestHost,
  planHere,
  runJob,
  startPlan,
} from './sandbox-host.fixture.ts';
import { inputText } from './sandbox-spec.fixture.ts';
import { DENIED_SYSCALLS, syscallNumber } from './syscalls.ts';
import type { SandboxArch } from './syscalls.ts';

/** `plan` with more bubblewrap options in front of the last ones, as if the list of the root file system were wrong. */
function withOptions(plan: SandboxPlan, ...extra: readonly string[]): SandboxPlan {
  const options = inputText(plan.launch, 3).split('\0').slice(0, -1);
  const last = options.lastIndexOf('--remount-ro');
  const text = [...options.slice(0, last), ...extra, ...options.slice(last)].map((option) => `${option}\0`).join('');
  const inputs = plan.launch.inputs.map((input) =>
    input.fd === 3 ? { fd: 3, bytes: new Secret(Buffer.from(text)) } : input,
  );
  return { ...plan, launch: { ...plan.launch, inputs } };
}

test('a job reads no root-only file, even with the whole machine mounted', async (t) => {
  if (!need(t, 'bubblewrap', 'root')) return;
  const host = await openTestHost(t);
  const read = 'cat /host/etc/passwd >/dev/null && echo passwd; cat /host/etc/shadow';
  const whole = (plan: SandboxPlan) => withOptions(plan, '--ro-bind', '/', '/host');
  const plan = planHere(host, { command: ['/bin/sh', '-c', read] });
  const dropped = await finish(await startPlan(host, whole(plan)));
  assert.equal(dropped.stdout, 'passwd\n');
  assert.match(dropped.stderr, /shadow: Permission denied/);

  // The control: without the drop to another host user the same job reads it.
  const kept = { ...planHere(host, { command: ['/bin/sh', '-c', read] }), dropped: false };
  const undropped = await finish(await startPlan(host, whole(kept)));
  assert.ok(undropped.stdout.includes(readFileSync('/etc/shadow', 'utf8')));
});

test('a job sees the listed root file system, its mounts, and nothing else of the machine', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const key = join(host.folder, 'agent.key');
  writeFileSync(key, 'agent key', { mode: 0o600 });
  const other = jobFolder(host, 'other-job', 7);
  writeFileSync(join(other, 'result'), 'of another job');
  const work = jobFolder(host, 'work');
  const mounts = [{ hostPath: work, sandboxPath: '/work', mode: 'rw' as const }];
  const script = `ls -A /; for path in ${key} ${other} ${other}/result /home /root /var /run /sys /etc/shadow /etc/hostname; do
    if ls "$path" 2>/dev/null; then echo "sees $path"; fi; done; true`;
  const { stdout, exit } = await runJob(host, { command: { script }, mounts, cwd: '/work' });
  assert.equal(exit.code, 0);
  assert.ok(!stdout.includes('sees'), stdout);
  const listed = new Set([
    'bin',
    'dev',
    'etc',
    'lib',
    'lib32',
    'lib64',
    'libx32',
    'proc',
    'sbin',
    'tmp',
    'usr',
    'work',
  ]);
  for (const name of stdout.trim().split('\n')) assert.ok(listed.has(name), name);
});

test('read-only means read-only; what the job writes belongs to its host user', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const data = jobFolder(host, 'data');
  writeFileSync(join(data, 'rows.csv'), 'one', { mode: 0o666 });
  const out = jobFolder(host, 'out');
  const mounts = [
    { hostPath: data, sandboxPath: '/data', mode: 'ro' as const },
    { hostPath: out, sandboxPath: '/out', mode: 'rw' as const },
  ];
  const script = `cat /data/rows.csv > /out/copy
    for attempt in 'echo x > /data/rows.csv' 'echo x > /data/new' 'rm /data/rows.csv' 'mv /data /tmp/data' \\
      'ln /data/rows.csv /out/link' 'mount -o remount,rw /data' 'touch /new' 'touch /usr/new' 'touch /etc/new' \\
      'touch /dev/new' 'rm /bin'; do
      if sh -c "$attempt" 2>/dev/null; then echo "did $attempt"; fi; done; echo x > /tmp/y; echo x > /dev/shm/y`;
  const { stdout, stderr, exit } = await runJob(host, { command: { script }, mounts, cwd: '/out' });
  assert.equal(exit.code, 0, stderr);
  assert.equal(stdout, '');
  assert.equal(readFileSync(join(data, 'rows.csv'), 'utf8'), 'one');
  assert.equal(readFileSync(join(out, 'copy'), 'utf8'), 'one');
  assert.equal(statSync(join(out, 'copy')).uid, identityOf(host).uid);
});

test('a job reaches no network: not the loopback of the machine, not its abstract sockets', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const runtime = nodeRuntime(host);
  let reached = 0;
  const listen = async (server: Server, where: { port: number; host: string } | { path: string }) => {
    server.on('connection', () => (reached += 1)).listen(where);
    t.after(() => server.close());
    await once(server, 'listening');
  };
  const loopback = createServer();
  const abstract = createServer();
  await listen(loopback, { port: 0, host: '127.0.0.1' });
  const name = `\0ringfence-test-${process.pid}`;
  await listen(abstract, { path: name });
  const { port } = loopback.address() as AddressInfo;
  const program = `const net = require('node:net');
    for (const where of [{port: ${port}, host: '127.0.0.1'}, {path: ${JSON.stringify(name)}}, {port: 53, host: '192.0.2.1'}])
      net.connect(where, () => console.log('REACHED')).on('error', (error) => console.log(error.code));
    console.log(Object.keys(require('node:os').networkInterfaces()).join());`;
  const { stdout, exit } = await runJob(host, { command: ['node', '-e', program], runtimes: [runtime] });
  assert.equal(exit.code, 0);
  assert.deepEqual(stdout.trim().split('\n').toSorted(), ['ECONNREFUSED', 'ECONNREFUSED', 'ENETUNREACH', 'lo']);
  assert.equal(reached, 0);
});

test('the kernel confirms: no capabilities, no new privileges, filter on, own processes only', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const script = `grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|Uid|Gid|Groups):' /proc/self/status
    for path in /proc/[0-9]*; do echo "pid \${path#/proc/}"; done; hostname; grep -c . /proc/keys /proc/cmdline 2>&1 || true; grep core /proc/self/limits`;
  const { stdout } = await runJob(host, { command: { script }, hostname: 'job-1' });
  for (const line of stdout.split('\n').filter((text) => text.startsWith('Cap'))) assert.match(line, /:\t0{16}$/);
  for (const fact of [/^NoNewPrivs:\t1$/m, /^Seccomp:\t2$/m, /^Uid:(\t65534){4}$/m, /^Gid:(\t65534){4}$/m, /^job-1$/m])
    assert.match(stdout, fact);
  if (host.capabilities.users.kind === 'dedicated') assert.match(stdout, /^Groups:\s*$/m);
  const pids = [...stdout.matchAll(/^pid (\d+)$/gm)].map((match) => Number(match[1]));
  assert.ok(pids.length <= 3 && Math.max(...pids) < 20, `sees processes ${pids.join()}`);
  assert.match(stdout, /Max core file size\s+1\s+1\s/);
  assert.doesNotMatch(stdout, /\/proc\/(keys|cmdline):[1-9]/);
});

test('denied system calls answer with their error, one by one', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  if (!existsSync('/usr/bin/python3')) return t.skip('needs python3 (apt-get install python3)');
  const host = await openTestHost(t);
  const arch = process.arch as SandboxArch;
  const numbers = DENIED_SYSCALLS.flatMap((group) => group.calls).flatMap((call) => syscallNumber(call, arch) ?? []);
  const program = `import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(nr, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(nr), *[ctypes.c_long(a) for a in args])
    return ctypes.get_errno() if result == -1 else 0
print('denied', {call(nr, 0, 0, 0, 0, 0, 0) for nr in ${JSON.stringify(numbers)}})
print('clone3', call(${syscallNumber('clone3', arch)}, 0, 0), 'future', call(500), call(9999))
print('user namespace', call(${syscallNumber('clone', arch)}, 0x10000011, 0, 0, 0, 0))
print('vsock', call(${syscallNumber('socket', arch)}, 40, 1, 0), 'alg', call(${syscallNumber('socket', arch)}, 38, 5, 0))
print('tiocsti', call(${syscallNumber('ioctl', arch)}, 0, 0x5412, 0), 'personality', call(${syscallNumber('personality', arch)}, 0x40000))
`;
  const { stdout, stderr } = await runJob(host, { command: ['/usr/bin/python3', '-c', program] });
  assert.equal(
    stdout,
    'denied {1}\nclone3 38 future 38 38\nuser namespace 1\nvsock 97 alg 97\ntiocsti 1 personality 1\n',
    stderr,
  );
});

test('programs of the system that try the same are refused', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const script = `for attempt in 'unshare -U true' 'unshare -n true' 'mount -t tmpfs none /tmp' 'umount /proc' \\
      'mknod /tmp/null c 1 3' 'mknod /tmp/disk b 254 0' 'chroot / true' 'hostname other' 'date -s 2020-01-01' 'nsenter -t 1 -n true'; do
      if sh -c "$attempt" >/dev/null 2>&1; then echo "did $attempt"; fi; done; mkfifo /tmp/pipe && echo pipe`;
  const { stdout } = await runJob(host, { command: { script } });
  assert.equal(stdout, 'pipe\n');
});

test('links and device nodes that lie in a mount lead nowhere', async (t) => {
  if (!need(t, 'bubblewrap', 'root')) return;
  const host = await openTestHost(t);
  const work = jobFolder(host, 'work');
  mkdirSync(join(host.folder, 'private'), { mode: 0o755 });
  writeFileSync(join(host.folder, 'private', 'key'), 'SECRET', { mode: 0o644 });
  symlinkSync(join(host.folder, 'private', 'key'), join(work, 'link'));
  symlinkSync(`/proc/1/root${join(host.folder, 'private', 'key')}`, join(work, 'root-link'));
  symlinkSync('../private/key', join(work, 'relative-link'));
  execFileSync('mknod', ['-m', '666', join(work, 'zero'), 'c', '1', '5']);
  const script = `for name in link root-link relative-link zero ../private/key; do head -c 6 "/work/$name" 2>/dev/null | grep -q . && echo "read $name"; done
    head -c 6 /work/zero 2>&1 | tail -c 18; cat /proc/1/root/etc/passwd | grep -c root`;
  const { stdout } = await runJob(host, {
    command: { script },
    mounts: [{ hostPath: work, sandboxPath: '/work', mode: 'rw' }],
    cwd: '/work',
  });
  assert.equal(stdout, 'Permission denied\n1\n');
});

test('a mount that leads through a link, is missing, or cannot be reached is refused before anything starts', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const host = await openTestHost(t);
  const refusal = async (t: TestContext, hostPath: string, code: string) => {
    const plan = planHere(host, { mounts: [{ hostPath, sandboxPath: '/data', mode: 'ro' }] });
    await assert.rejects(startPlan(host, plan), { code });
    t.diagnostic(code);
  };
  symlinkSync(jobFolder(host, 'real'), join(host.folder, 'linked'));
  await refusal(t, join(host.folder, 'linked'), 'mount-symlink');
  await refusal(t, join(host.folder, 'absent'), 'mount-missing');
  if (host.capabilities.users.kind !== 'dedicated') return;
  mkdirSync(join(host.folder, 'closed', 'inner'), { recursive: true, mode: 0o700 });
  await refusal(t, join(host.folder, 'closed', 'inner'), 'mount-unreachable');
});

test('settings of the machine’s own programs below /usr are not there', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  if (!existsSync('/usr/local/etc')) return t.skip('needs /usr/local/etc (mkdir /usr/local/etc)');
  const host = await openTestHost(t);
  assert.ok(host.capabilities.layout.maskedFolders.includes('/usr/local/etc'));
  const { stdout, stderr } = await runJob(host, { command: { script: 'ls -A /usr/local/etc; echo looked' } });
  assert.equal(stdout, 'looked\n', stderr);
});
