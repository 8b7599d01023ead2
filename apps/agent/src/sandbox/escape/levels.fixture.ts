import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { missing } from '../../../../../scripts/needs.ts';
import { findContainerRuntimes, findGvisor } from '../../oci/find-runtime.ts';
import type { SandboxLevel } from '../isolation.ts';
import { jobFolder, openTestHost, runJob, type Finished, type TestHost } from '../sandbox-host.fixture.ts';
import type { Mount, SandboxSpec } from '../spec.ts';

/** One way to keep jobs apart that the escape suite attacks. */
export interface EscapeLevel {
  readonly name: string;
  readonly level: SandboxLevel;
  readonly runtime: 'runc' | 'crun' | 'runsc' | undefined;
  /** The job's system calls reach the kernel of the machine. */
  readonly sharesKernel: boolean;
}

const LEVELS: readonly (EscapeLevel & { readonly lacks: string | false })[] = [
  {
    name: 'sandbox',
    level: 'sandbox',
    runtime: undefined,
    sharesKernel: true,
    lacks: missing('bubblewrap', 'root', 'python3'),
  },
  {
    name: 'container by runc',
    level: 'container',
    runtime: 'runc',
    sharesKernel: true,
    lacks: missing('runc', 'root', 'python3'),
  },
  {
    name: 'container by crun',
    level: 'container',
    runtime: 'crun',
    sharesKernel: true,
    lacks: missing('crun', 'root', 'python3'),
  },
  {
    name: 'gvisor',
    level: 'gvisor',
    runtime: 'runsc',
    sharesKernel: false,
    lacks: missing('runsc', 'root', 'python3'),
  },
];

/** What a job of the suite runs in: a place that it may write, and data that it may only read. */
export interface Ground {
  readonly host: TestHost;
  readonly at: EscapeLevel;
  readonly data: string;
  readonly out: string;
  /** A file of the machine that everybody may read: nothing but the level keeps it from a job. */
  readonly secret: string;
  readonly mounts: readonly Mount[];
}

/** Level process, at which most attacks succeed: the control that shows that an attack of the suite is one. */
export const UNPROTECTED: EscapeLevel = { name: 'process', level: 'process', runtime: undefined, sharesKernel: true };
/** What is in {@link Ground.secret}. */
export const SECRET = 'words of the machine';

/** Runs `attack` at every level of the suite. */
export function atEveryLevel(name: string, attack: (t: TestContext, at: EscapeLevel) => Promise<void>): void {
  suite(name, () => {
    for (const { lacks, ...at } of LEVELS) test(at.name, { skip: lacks }, (t) => attack(t, at));
  });
}

/** The machine as one level has it. */
export async function openGround(t: TestContext, at: EscapeLevel): Promise<Ground> {
  const host = await openTestHost(t);
  const secret = join(host.folder, 'secret');
  writeFileSync(secret, SECRET, { mode: 0o644 });
  const data = join(host.folder, 'data');
  mkdirSync(data);
  // As loosely as can be: what keeps a job from writing is the mount alone.
  chmodSync(data, 0o777);
  writeFileSync(join(data, 'rows.csv'), 'a,b\n');
  chmodSync(join(data, 'rows.csv'), 0o666);
  const out = jobFolder(host, 'out');
  const mounts = [
    { hostPath: data, sandboxPath: '/data', mode: 'ro' },
    { hostPath: out, sandboxPath: '/out', mode: 'rw' },
  ] as const;
  return { host: withRuntime(host, at), at, data, out, secret, mounts };
}

/** This machine as if it had no other runtime of containers. */
function withRuntime(host: TestHost, { level, runtime }: EscapeLevel): TestHost {
  if (runtime === undefined) return host;
  const found = [...findContainerRuntimes(host.capabilities), ...findGvisor(host.capabilities)];
  const own = found.find((candidate) => candidate.available && candidate.runtime === runtime);
  assert.ok(own !== undefined, `${runtime} does not work here`);
  return { ...host, capabilities: { ...host.capabilities, [level]: own } };
}

/** What every attack in Python begins with: `call` makes a system call and answers with its error, 0 for none. */
const PRELUDE = `import ctypes, os, signal, socket, stat, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(nr, *args):
    ctypes.set_errno(0)
    passed = [a if isinstance(a, bytes) else ctypes.c_long(a) for a in args]
    return ctypes.get_errno() if libc.syscall(ctypes.c_long(nr), *passed) == -1 else 0
def put(path, text):
    fd = os.open(path, os.O_WRONLY)
    try: os.write(fd, text)
    finally: os.close(fd)
def attack(what, run):
    try:
        if run() is not False: print('ESCAPED', what)
    except BaseException as error:
        print('held', what, type(error).__name__)
`;

/** Runs `program` (Python) as a job and returns what it did that no job may; every \`attack\` of it says ESCAPED or held. */
export async function escapesOf(
  { host, at, mounts }: Ground,
  program: string,
  over: Partial<SandboxSpec> = {},
): Promise<readonly string[]> {
  const script = `/usr/bin/python3 - <<'PROGRAM'\n${PRELUDE}${program}\nprint('tried all')\nPROGRAM`;
  const { stdout, stderr, exit } = await runJob(host, {
    level: at.level,
    command: { script },
    mounts,
    cwd: '/out',
    ...over,
  });
  const lines = stdout.trim().split('\n');
  assert.equal(lines.at(-1), 'tried all', `${JSON.stringify(exit)}\n${stdout}\n${stderr}`);
  return lines.flatMap((line) => /^ESCAPED (.*)$/.exec(line)?.[1] ?? []);
}

/** Runs a shell script as a job of the suite. */
export function runScript(
  { host, at, mounts }: Ground,
  text: string,
  over: Partial<SandboxSpec> = {},
): Promise<Finished> {
  return runJob(host, { level: at.level, command: { script: text }, mounts, cwd: '/out', ...over });
}
