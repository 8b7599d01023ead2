// A job that wants out by system calls, other processes and the network.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { until } from '@ringfence/base/until';
import { need } from '../../../../../scripts/needs.ts';
import { identityOf } from '../sandbox-host.fixture.ts';
import { syscallNumber, type SandboxArch } from '../syscalls.ts';
import { atEveryLevel, escapesOf, openGround, UNPROTECTED, type Ground } from './levels.fixture.ts';

const nr = (name: Parameters<typeof syscallNumber>[0]): number =>
  syscallNumber(name, process.arch as SandboxArch) ?? assert.fail(`no ${name} here`);

/** Namespaces, mounts, keys, modules, clocks: each would change the kernel that all share. */
const KERNEL = `
attack('mount', lambda: call(${nr('mount')}, b'none', b'/tmp', b'tmpfs', 0, 0) == 0)
attack('umount', lambda: call(${nr('umount2')}, b'/proc', 2) == 0)
for name in ['net', 'mnt', 'pid', 'user']:
    attack('enter ' + name, lambda: call(${nr('setns')}, os.open(f'/proc/1/ns/{name}', os.O_RDONLY), 0) == 0)
attack('bpf', lambda: call(${nr('bpf')}, 0, 0, 0) == 0)
attack('module', lambda: call(${nr('init_module')}, 0, 0, b'') == 0)
attack('reboot', lambda: call(${nr('reboot')}, 0xfee1dead, 672274793, 0, 0) == 0)
attack('host name', lambda: socket.sethostname('other'))
attack('become root', lambda: os.getuid() != 0 and os.setuid(0))
for path in ['/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', '/proc/sysrq-trigger', '/proc/sys/kernel/hostname', '/sys/kernel/mm/ksm/run', '/sys/fs/cgroup/memory.max']:
    attack('write ' + path, lambda: put(path, b'1'))
import time
attack('set the clock', lambda: time.clock_settime(time.CLOCK_REALTIME, 1e9))
`;
/** What a kernel of the job's own may grant it: nothing of it is the machine's. */
const SHARED_KERNEL = `
attack('user namespace', lambda: call(${nr('unshare')}, 0x10000000) == 0)
attack('network namespace', lambda: call(${nr('unshare')}, 0x40000000) == 0)
attack('mount namespace', lambda: call(${nr('unshare')}, 0x00020000) == 0)
attack('chroot', lambda: os.chroot('/out'))
attack('take priority', lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))
attack('outlive the agent when memory runs out', lambda: put('/proc/self/oom_score_adj', b'-500'))
attack('key', lambda: call(${nr('add_key')}, b'user', b'mine', b'x', 1, -4) == 0)
attack('keyring', lambda: call(${nr('keyctl')}, 1, 0, 0, 0, 0) == 0)
attack('trace a child', lambda: call(${nr('ptrace')}, 0, 0, 0, 0) == 0)
attack('events', lambda: call(${nr('perf_event_open')}, 0, 0, -1, -1, 0) == 0)
attack('file handle', lambda: call(${nr('open_by_handle_at')}, 0, 0, 0) == 0)
attack('packet socket', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
attack('vm socket', lambda: socket.socket(40, socket.SOCK_STREAM))
`;

atEveryLevel('mounts, namespaces, keys and the rest of the kernel', async (t, at) => {
  const ground = await openGround(t, at);
  assert.deepEqual(await escapesOf(ground, at.sharesKernel ? KERNEL + SHARED_KERNEL : KERNEL), []);
});

test('control: without a filter the same calls reach the kernel', async (t) => {
  if (!need(t, 'root', 'python3')) return;
  const escapes = await escapesOf(await openGround(t, UNPROTECTED), KERNEL + SHARED_KERNEL);
  assert.ok(escapes.includes('key') && escapes.includes('trace a child'), escapes.join());
});

/** Asks for a key of the machine by name: keys go by user, and users are not namespaces of the kernel's own keys. */
const KEYS = `attack('a key of the machine', lambda: call(${nr('keyctl')}, 10, -4, b'user', b'ringfence-escape', 0) == 0)`;

/** Gives the job's very host user a key, and takes it away after the test. */
function plantKey(t: TestContext, ground: Ground): void {
  const { uid, gid } = identityOf(ground.host);
  const run = (program: string) =>
    spawnSync('/usr/bin/python3', ['-c', `import ctypes\nlibc = ctypes.CDLL(None)\n${program}`], { uid, gid });
  const add = `exit(libc.syscall(${nr('add_key')}, b'user', b'ringfence-escape', b'words', 5, ctypes.c_long(-4)) == -1)`;
  assert.equal(run(add).status, 0, 'the machine keeps keys');
  t.after(() => run(`libc.syscall(${nr('keyctl')}, 7, ctypes.c_long(-4))`));
}

atEveryLevel('keys of the machine', async (t, at) => {
  const ground = await openGround(t, at);
  plantKey(t, ground);
  assert.deepEqual(await escapesOf(ground, KEYS), []);
});

test('control: at level process a job finds a key of its user', async (t) => {
  if (!need(t, 'root', 'python3')) return;
  const ground = await openGround(t, UNPROTECTED);
  plantKey(t, ground);
  assert.deepEqual(await escapesOf(ground, KEYS), ['a key of the machine']);
});

/** A process of the very host user of the job, as another job would be that got the same user: nothing but the level keeps them apart. */
async function withVictim(t: TestContext, ground: Ground): Promise<{ escapes: readonly string[]; alive: boolean }> {
  const { uid, gid } = identityOf(ground.host);
  const program = `
import time
open('/out/started', 'w').close()
for _ in range(2000):
    if os.path.exists('/out/victim') and open('/out/victim').read().endswith('.'): break
    time.sleep(0.01)
victim, agent = [int(word) for word in open('/out/victim').read().rstrip('.').split()]
attack('see it', lambda: open(f'/proc/{victim}/cmdline').read().startswith('sleep'))
attack('its variables', lambda: open(f'/proc/{victim}/environ').read())
attack('its memory', lambda: open(f'/proc/{victim}/mem', 'rb'))
attack('its files', lambda: os.listdir(f'/proc/{victim}/fd') and open(f'/proc/{victim}/cmdline').read().startswith('sleep'))
attack('trace it', lambda: open(f'/proc/{victim}/cmdline').read().startswith('sleep') and call(${nr('ptrace')}, 16, victim, 0, 0) == 0)
for number in [victim, agent]:
    name = 'victim' if number == victim else 'agent'
    attack('look at the ' + name, lambda: os.kill(number, 0))
    attack('stop the ' + name, lambda: os.kill(number, signal.SIGURG))
attack('kill it', lambda: os.kill(victim, signal.SIGKILL))
`;
  const out = ground.mounts.find(({ sandboxPath }) => sandboxPath === '/out')?.hostPath ?? assert.fail();
  const text = ground.at.level === 'process' ? program.replaceAll("'/out/", `'${out}/`) : program;
  const running = escapesOf(ground, text);
  // Reported below, where it is awaited.
  running.catch(() => {});
  // Only now: no job starts while somebody else runs as its user.
  await until(() => existsSync(join(out, 'started')), 'the job has started');
  const victim = spawn('sleep', ['3600'], { uid, gid, stdio: 'ignore', env: { WORDS: 'of the victim' } });
  writeFileSync(join(out, 'victim'), `${victim.pid} ${process.pid}.`, { mode: 0o644 });
  const seen = { ended: false };
  victim.on('exit', () => (seen.ended = true));
  try {
    const escapes = await running;
    return { escapes, alive: !seen.ended };
  } finally {
    victim.kill('SIGKILL');
  }
}

atEveryLevel('other processes: /proc, ptrace, memory, signals to them and to the agent', async (t, at) => {
  let signals = 0;
  const count = (): void => void (signals += 1);
  process.on('SIGURG', count);
  t.after(() => process.off('SIGURG', count));
  const { escapes } = await withVictim(t, await openGround(t, at));
  assert.deepEqual(escapes, []);
  assert.equal(signals, 0);
});

test('control: at level process a job reaches a process of its user', async (t) => {
  if (!need(t, 'root', 'python3')) return;
  const { escapes } = await withVictim(t, await openGround(t, UNPROTECTED));
  for (const way of ['see it', 'its variables', 'look at the victim', 'kill it'])
    assert.ok(escapes.includes(way), `${way} in ${escapes.join()}`);
});

async function listening(t: TestContext, where: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end('reached'));
  server.listen(where);
  t.after(() => server.close());
  await once(server, 'listening');
  return server;
}

async function networkAttacks(t: TestContext): Promise<{ program: string; reached: () => number }> {
  const name = `ringfence-escape-${process.pid}`;
  const outer = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  const tcp = await listening(t, { port: 0, host: '0.0.0.0' });
  const abstract = await listening(t, { path: `\0${name}` });
  let reached = 0;
  for (const server of [tcp, abstract]) server.on('connection', () => (reached += 1));
  const { port } = tcp.address() as AddressInfo;
  const hosts = ['127.0.0.1', 'localhost', ...(outer === undefined ? [] : [outer.address])];
  const program = `
def tcp(host, port):
    socket.create_connection((host, port), 3).recv(1)
def datagram(host, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((host, port)); s.send(b'x')
for host in ${JSON.stringify(hosts)}:
    attack('connect to ' + host, lambda: tcp(host, ${port}))
for host in ['169.254.169.254', '192.0.2.77', '8.8.8.8']:
    attack('send to ' + host, lambda: datagram(host, 53))
attack('abstract socket', lambda: socket.socket(socket.AF_UNIX).connect('\\0${name}'))
attack('resolve a name', lambda: socket.getaddrinfo('example.com', 80))
attack('raw socket', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attack('another interface', lambda: [line for line in open('/proc/net/dev') if ':' in line and line.split(':')[0].strip() != 'lo'] != [])
`;
  return { program, reached: () => reached };
}

atEveryLevel('the network of the machine', async (t, at) => {
  const ground = await openGround(t, at);
  const { program, reached } = await networkAttacks(t);
  assert.deepEqual(await escapesOf(ground, program), []);
  assert.equal(reached(), 0);
});

test('control: at level process a job reaches the listeners of the machine', async (t) => {
  if (!need(t, 'root', 'python3')) return;
  const ground = await openGround(t, UNPROTECTED);
  const { program, reached } = await networkAttacks(t);
  const escapes = await escapesOf(ground, program);
  assert.ok(escapes.includes('connect to 127.0.0.1') && escapes.includes('abstract socket'), escapes.join());
  await until(() => reached() >= 2, 'both connections arrived');
});
