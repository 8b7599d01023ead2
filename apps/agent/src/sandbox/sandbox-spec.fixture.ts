import { Secret } from '@ringfence/base';
import type { SandboxCapabilities } from './capabilities.ts';
import type { Launch } from './launch.ts';
import type { SandboxSpec } from './spec.ts';

const CONTAINER = {
  available: true,
  runtime: 'runc',
  path: '/usr/sbin/runc',
  version: '1.1.5',
  unshare: '/usr/bin/unshare',
  etc: ['/etc/ssl/certs'],
} as const;

/** A machine on which everything works, for tests of pure parts. */
export const ABLE_MACHINE: SandboxCapabilities = {
  process: { available: true },
  sandbox: { available: true, path: '/usr/bin/bwrap', version: '0.8.0' },
  container: CONTAINER,
  gvisor: { ...CONTAINER, runtime: 'runsc', path: '/usr/bin/runsc' },
  limits: {
    driver: 'cgroup-v2',
    base: { version: 2, folder: '/sys/fs/cgroup/agent', controllers: ['memory', 'pids', 'cpu'] },
    memory: 'hard',
    cpus: true,
    pids: true,
    openFiles: 4096,
    remedy: null,
  },
  seccomp: 'x64',
  users: { kind: 'dedicated', firstUid: 61_184, slots: 64 },
  layout: { roots: { '/bin': 'usr/bin', '/lib': null }, maskedFiles: ['/proc/keys'], maskedFolders: ['/proc/acpi'] },
  tools: { prlimit: '/usr/bin/prlimit', setpriv: '/usr/bin/setpriv', env: '/usr/bin/env' },
};

/** The same machine without writable cgroups. */
export const MACHINE_WITHOUT_CGROUPS: SandboxCapabilities = {
  ...ABLE_MACHINE,
  limits: {
    driver: 'rlimits',
    base: null,
    memory: 'per-process',
    cpus: false,
    pids: false,
    openFiles: 4096,
    remedy: 'run the agent as root',
  },
};

/** A small job. */
export const SMALL_JOB: SandboxSpec = {
  level: 'sandbox',
  slot: 3,
  command: ['/bin/true'],
  cwd: '/tmp',
  env: {},
  mounts: [],
  runtimes: [],
  limits: {},
  network: 'none',
  tmpfsBytes: 1_048_576,
  hostname: 'job',
};

/** The text that a launch writes to descriptor `fd`, which spends the plan. */
export function inputText(launch: Launch, fd: number): string {
  const input = launch.inputs.find((candidate) => candidate.fd === fd);
  return Buffer.from(input?.bytes.expose() ?? new Secret(Buffer.from('none')).expose()).toString();
}
