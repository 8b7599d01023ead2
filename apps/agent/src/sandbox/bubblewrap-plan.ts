import { Secret } from '@ringfence/base';
import { JOB_ID, etcFiles } from './etc-files.ts';
import type { SandboxCapabilities } from './capabilities.ts';
import { jobEnvironment } from './job-environment.ts';
import type { Launch, PlanInput } from './launch.ts';
import { initOf } from './planned-init.ts';
import { innerMemoryPrefix, prlimitPrefix, processLimitPrefix } from './rlimits.ts';
import { rootFileSystem } from './root-file-system.ts';
import { seccompFilter } from './seccomp.ts';
import type { Mount, SandboxSpec } from './spec.ts';

/** Where the job's script lies in a sandbox. */
const SCRIPT_PATH = '/etc/ringfence/job.sh';
const ARGUMENTS_FD = 3;
const STATUS_FD = 4;
const FILTER_FD = 5;
const FIRST_ETC_FD = 6;

/**
 * Level sandbox: `prlimit … bwrap --args 3 -- COMMAND`. The options, and with them the environment, come through a
 * descriptor, so neither the process list nor the environment of bubblewrap holds a secret (invariant 10). bubblewrap
 * does nothing before it has read them: the agent puts it in its cgroup first and then opens the gate with one write.
 * Options that confine come before those that show files, so options cut short by the death of the agent leave a
 * command with an empty root file system.
 */
export function planBubblewrap(spec: SandboxSpec, capabilities: SandboxCapabilities): Launch {
  const { sandbox, seccomp, layout } = capabilities;
  if (!sandbox.available || seccomp === null) throw new TypeError('checkSpec lets no such plan through');
  const etc = etcFiles(spec.hostname).map((file, index) => ({ ...file, fd: FIRST_ETC_FD + index }));
  const script = 'script' in spec.command ? spec.command.script : null;
  // Last, so that the numbers have no gap: Node would fill one with a descriptor that the job then inherits.
  const scriptFd = FIRST_ETC_FD + etc.length;
  const init = initOf(spec);
  const configFd = script === null ? scriptFd : scriptFd + 1;
  const options = [
    confinement(spec.hostname),
    environmentOptions(init?.env ?? jobEnvironment(spec, (path) => path)),
    rootFileSystem(layout, etc, spec),
    mountOptions([...spec.mounts, ...asMounts(spec.runtimes), ...(init?.mounts ?? [])]),
    script === null ? [] : ['--perms', '0444', '--ro-bind-data', String(scriptFd), SCRIPT_PATH],
    init === null ? [] : ['--perms', '0444', '--ro-bind-data', String(configFd), init.config.path],
    ['--remount-ro', '/', '--chdir', spec.cwd],
  ].flat();
  const inputs: readonly PlanInput[] = [
    { fd: FILTER_FD, bytes: new Secret(seccompFilter(seccomp)) },
    ...etc.map((file) => ({ fd: file.fd, bytes: text(file.text) })),
    ...(script === null ? [] : [{ fd: scriptFd, bytes: text(script) }]),
    ...(init === null ? [] : [{ fd: configFd, bytes: text(init.config.text) }]),
    { fd: ARGUMENTS_FD, bytes: text(options.map((option) => `${option}\0`).join('')) },
  ];
  const command = 'script' in spec.command ? ['/bin/sh', '-e', SCRIPT_PATH] : spec.command;
  const [program = '', ...argv] = [
    ...prlimitPrefix(spec, capabilities),
    sandbox.path,
    '--args',
    String(ARGUMENTS_FD),
    '--',
    ...(init === null ? [] : [...init.argv, ...innerMemoryPrefix(spec, capabilities)]),
    ...processLimitPrefix(spec, capabilities, 1 + (init?.own.pids ?? 0)),
    ...command,
  ];
  return {
    program,
    argv,
    inputs,
    statusFd: STATUS_FD,
    environment: text(''),
    workingFolder: '/',
    scratchVariables: [],
  };
}

function confinement(hostname: string): readonly string[] {
  return [
    // user is named on its own: --unshare-all alone goes on without it where the kernel refuses.
    ['--unshare-all', '--unshare-user', '--disable-userns'],
    ['--uid', String(JOB_ID), '--gid', String(JOB_ID)],
    // As root bubblewrap leaves all capabilities to its child unless told.
    ['--cap-drop', 'ALL', '--die-with-parent', '--new-session'],
    ['--seccomp', String(FILTER_FD), '--json-status-fd', String(STATUS_FD)],
    ['--hostname', hostname],
  ].flat();
}

function environmentOptions(environment: Readonly<Record<string, string>>): readonly string[] {
  return ['--clearenv', ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value])];
}

function mountOptions(mounts: readonly Mount[]): readonly string[] {
  return mounts
    .toSorted((a, b) => a.sandboxPath.length - b.sandboxPath.length)
    .flatMap((mount) => [mount.mode === 'rw' ? '--bind' : '--ro-bind', mount.hostPath, mount.sandboxPath]);
}

function asMounts(runtimes: SandboxSpec['runtimes']): readonly Mount[] {
  return runtimes.map((runtime) => ({ ...runtime, mode: 'ro' }));
}

function text(value: string): Secret {
  return new Secret(Buffer.from(value));
}
