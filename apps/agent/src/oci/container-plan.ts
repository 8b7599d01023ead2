import { Secret } from '@ringfence/base';
import type { SandboxCapabilities } from '../sandbox/capabilities.ts';
import { etcFiles } from '../sandbox/etc-files.ts';
import { jobEnvironment } from '../sandbox/job-environment.ts';
import type { Launch } from '../sandbox/launch.ts';
import { initOf } from '../sandbox/planned-init.ts';
import { prlimitPrefix, processLimitPrefix } from '../sandbox/rlimits.ts';
import { SECRETS_BYTES, SECRETS_FOLDER, type Mount, type SandboxSpec } from '../sandbox/spec.ts';
import { containerConfig } from './container-config.ts';
import type { ContainerLevel } from './container-level.ts';
import { OWN_RESOURCES } from './own-resources.ts';
import { containerScript, ROOT_PATH, type RootFile } from './container-script.ts';
import { siteRoot } from './root-entry.ts';
import { seccompProfile } from './seccomp-profile.ts';

/** Where the job's script lies in a container. */
const SCRIPT_PATH = '/ringfence/job.sh';
const GATE_FD = 3;
const SCRIPT_FD = 4;
const STATUS_FD = 5;
/** Waits for the agent's word; end of file, as when the agent died, is a no. */
const GATE = `IFS= read -r word <&${GATE_FD} && [ "$word" = go ] && exec ${GATE_FD}<&- && exec "$@"`;
const READ_SCRIPT = `exec /bin/sh -s 0<&${SCRIPT_FD} ${SCRIPT_FD}<&-`;

const DIES_WITH_AGENT = ['--no-new-privs', '--pdeathsig', 'KILL', '--'];
/** The first process of the inner process namespace ends with unshare, and all others with it. */
const OWN_NAMESPACES = '--user --map-root-user --mount --pid --fork --kill-child --mount-proc --'.split(' ');

/**
 * Levels container and gvisor: as the job's host user, in a user, mount and process namespace of its own that dies with the agent, a
 * shell that makes the bundle and starts the runtime. What it does comes through a descriptor, so no process list and no disk holds a
 * secret (invariant 10); a flaw in the runtime gives away no more than that host user.
 */
export function planContainer(spec: SandboxSpec, capabilities: SandboxCapabilities): Launch {
  const level = spec.level === 'gvisor' ? capabilities.gvisor : capabilities.container;
  const { tools, seccomp } = capabilities;
  if (!level.available || tools.setpriv === null || seccomp === null)
    throw new TypeError('checkSpec lets no such plan through');
  return {
    program: '/bin/sh',
    argv: [
      '-c',
      GATE,
      'ringfence-gate',
      ...prlimitPrefix(spec, capabilities),
      ...processLimitPrefix(spec, capabilities, OWN_RESOURCES[spec.level].pids),
      tools.setpriv,
      ...DIES_WITH_AGENT,
      level.unshare,
      ...OWN_NAMESPACES,
      '/bin/sh',
      '-c',
      READ_SCRIPT,
    ],
    inputs: [
      { fd: SCRIPT_FD, bytes: new Secret(Buffer.from(bundleScript(spec, capabilities, level))) },
      { fd: GATE_FD, bytes: new Secret(Buffer.from('go\n')) },
    ],
    statusFd: STATUS_FD,
    environment: new Secret(Buffer.from('')),
    workingFolder: '/',
    scratchVariables: [],
  };
}

function bundleScript(spec: SandboxSpec, capabilities: SandboxCapabilities, level: ContainerLevel): string {
  const { layout, seccomp } = capabilities;
  const root = spec.root ?? siteRoot(layout, level.etc);
  const init = initOf(spec);
  const script = 'script' in spec.command ? spec.command.script : null;
  const config = containerConfig(
    {
      args: [...(init?.argv ?? []), ...('script' in spec.command ? ['/bin/sh', '-e', SCRIPT_PATH] : spec.command)],
      env: init?.env ?? { PWD: spec.cwd, ...jobEnvironment(spec, (path) => path) },
      cwd: spec.cwd,
      hostname: spec.hostname,
      root,
      mounts: [
        ...spec.mounts,
        ...spec.runtimes.map((runtime): Mount => ({ ...runtime, mode: 'ro' })),
        ...(init?.mounts ?? []),
      ],
      hidden: spec.root === undefined ? layout.maskedFolders.filter((path) => !path.startsWith('/proc/')) : [],
      tmpfsBytes: spec.tmpfsBytes,
      secret: spec.secretsFolder === true ? { [SECRETS_FOLDER]: SECRETS_BYTES } : {},
      maskedPaths: [...layout.maskedFiles, ...layout.maskedFolders],
      seccomp: level.runtime === 'runsc' || seccomp === null ? null : seccompProfile(seccomp),
    },
    ROOT_PATH,
  );
  const files: readonly RootFile[] = [
    ...(spec.root === undefined ? etcFiles(spec.hostname, 0).map((file): RootFile => ({ ...file, mode: '0644' })) : []),
    ...(script === null ? [] : [{ path: SCRIPT_PATH, text: script, mode: '0444' as const }]),
    ...(init === null ? [] : [{ ...init.config, mode: '0444' as const }]),
  ];
  return containerScript({
    level,
    config: JSON.stringify(config),
    folders: root.flatMap((entry) => (entry.kind === 'folder' ? [entry.path] : [])),
    links: root.flatMap((entry) => (entry.kind === 'link' ? [entry] : [])),
    files,
    statusFd: STATUS_FD,
  });
}
