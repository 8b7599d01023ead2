import { existsSync, readFileSync } from 'node:fs';
import type { Clock, Rng } from '@ringfence/base';
import { messageOf } from '@ringfence/base';
import type { BubblewrapLevel, JobUsers, MissingLevel, SandboxCapabilities } from './capabilities.ts';
import {
  BUBBLEWRAP_ABSENT,
  OLDEST_BUBBLEWRAP,
  explainBubblewrapFailure,
  explainContainerFailure,
  isRecentBubblewrap,
  missingLevel,
} from './explain-failure.ts';
import { findContainerRuntimes, findGvisor } from '../oci/find-runtime.ts';
import type { ContainerLevel } from '../oci/container-level.ts';
import { hostLayout, hostTools, openFilesLimit, systemProgram } from './host-layout.ts';
import { limitCapabilities } from './limit-capabilities.ts';
import { tryCgroupBase } from './try-cgroup.ts';
import { trySandbox } from './try-sandbox.ts';
import type { SandboxArch } from './syscalls.ts';
import type { SandboxLevel } from './isolation.ts';
import { programVersion } from './program-version.ts';

/** What probing needs. */
export interface ProbeHost {
  /** The agent's state folder. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly rng: Rng;
  /** From claimJobUsers. */
  readonly users: JobUsers;
  /** bubblewrap elsewhere than in the system's folders. */
  readonly bubblewrapPath?: string;
}

/**
 * What this machine can do for jobs, found by doing it: a job that asks the kernel about itself runs at each level, as the
 * host user and under the limits that real jobs get. Claims a cgroup for jobs on the way.
 */
export async function probeIsolation(host: ProbeHost): Promise<SandboxCapabilities> {
  const nothing = missingLevel(
    'not-linux',
    'jobs run on Linux x64 and arm64 only',
    'start the agent on such a machine',
  );
  const arch = seccompArch();
  const tools = hostTools();
  const base = process.platform === 'linux' ? await tryCgroupBase(host) : null;
  const capabilities: SandboxCapabilities = {
    process: nothing,
    sandbox: nothing,
    container: nothing,
    gvisor: nothing,
    limits: limitCapabilities(base, {
      prlimit: tools.prlimit !== null,
      root: process.getuid?.() === 0,
      openFiles: openFilesLimit(),
    }),
    seccomp: arch,
    users: host.users,
    layout: hostLayout(),
    tools,
  };
  const level = findBubblewrap(host.bubblewrapPath ?? systemProgram('bwrap'), capabilities);
  return {
    ...capabilities,
    process: (await failureAt('process', { ...capabilities, process: { available: true } }, host)) ?? {
      available: true,
    },
    sandbox: level.available
      ? ((await failureAt('sandbox', { ...capabilities, sandbox: level }, host)) ?? level)
      : level,
    container: await probeContainer('container', capabilities, host),
    gvisor: await probeContainer('gvisor', capabilities, host),
  };
}

async function probeContainer(
  name: 'container' | 'gvisor',
  capabilities: SandboxCapabilities,
  host: ProbeHost,
): Promise<ContainerLevel | MissingLevel> {
  const levels = name === 'container' ? findContainerRuntimes(capabilities) : findGvisor(capabilities);
  let missing: ContainerLevel | MissingLevel | undefined;
  for (const level of levels) {
    const tried = level.available ? await failureAt(name, { ...capabilities, [name]: level }, host) : level;
    if (tried === null) return level;
    missing ??= tried;
  }
  return missing ?? capabilities[name];
}

function findBubblewrap(path: string | null, capabilities: SandboxCapabilities): BubblewrapLevel | MissingLevel {
  if (path === null) return BUBBLEWRAP_ABSENT;
  if (capabilities.seccomp === null)
    return missingLevel(
      'seccomp-absent',
      'the kernel has no seccomp filters',
      'use a kernel with CONFIG_SECCOMP_FILTER',
    );
  if (capabilities.tools.prlimit === null)
    return missingLevel('prlimit-absent', 'prlimit is not installed', 'install util-linux');
  const version = programVersion(path, /\b([0-9]+\.[0-9]+\.[0-9]+)\b/);
  if (version === null)
    return missingLevel('probe-failed', `${path} --version does not answer`, 'reinstall bubblewrap');
  if (isRecentBubblewrap(version)) return { available: true, path, version };
  return missingLevel(
    'bubblewrap-too-old',
    `bubblewrap ${version} cannot forbid nested user namespaces`,
    `install bubblewrap ${OLDEST_BUBBLEWRAP} or newer`,
  );
}

async function failureAt(
  level: SandboxLevel,
  capabilities: SandboxCapabilities,
  host: ProbeHost,
): Promise<MissingLevel | null> {
  if (process.platform !== 'linux') return capabilities[level].available ? null : capabilities[level];
  try {
    const tried = await trySandbox(level, capabilities, host);
    if (tried.works) return null;
    if (level !== 'process' && level !== 'sandbox' && tried.stderr !== '')
      return explainContainerFailure(tried.stderr, namespaceSettings());
    return level === 'sandbox' && tried.stderr !== ''
      ? explainBubblewrapFailure(tried.stderr, namespaceSettings())
      : missingLevel(
          'probe-failed',
          `level ${level} does not confine as it must (${tried.missing})`,
          'run ringfence doctor',
        );
  } catch (error) {
    return missingLevel('no-agent-drop', `no job could be started: ${messageOf(error)}`, 'run ringfence doctor');
  }
}

function seccompArch(): SandboxArch | null {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return null;
  return existsSync('/proc/sys/kernel/seccomp/actions_avail') ? process.arch : null;
}

function namespaceSettings(): Parameters<typeof explainBubblewrapFailure>[1] {
  return {
    apparmorRestricts: setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
    unprivilegedClone: setting('/proc/sys/kernel/unprivileged_userns_clone'),
    most: setting('/proc/sys/user/max_user_namespaces'),
  };
}

function setting(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
