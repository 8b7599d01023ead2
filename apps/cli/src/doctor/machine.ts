import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { bad, good, warn, type Finding } from './finding.ts';

/** What this machine gives to an agent. */
export function machineFindings(): Finding[] {
  return [nodeVersion(), sandbox(), userNamespaces(), limits()];
}

function nodeVersion(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= 24
    ? good('node', process.version)
    : bad('node', process.version, 'start through npm or the release archive, which bring Node 24');
}

const WITHIN_MS = 10_000;

function run(program: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, { encoding: 'utf8', timeout: WITHIN_MS });
}

function sandbox(): Finding {
  const version = run('bwrap', ['--version']);
  if (version.error !== undefined)
    return warn('bubblewrap', 'not installed: jobs can only run at isolation process', 'apt-get install bubblewrap');
  const works = run('bwrap', ['--ro-bind', '/', '/', '--unshare-all', 'true']);
  if (works.status === 0) return good('bubblewrap', version.stdout.trim());
  return warn(
    'bubblewrap',
    `${version.stdout.trim()} cannot make a sandbox here`,
    'allow user namespaces: see the next line',
  );
}

function userNamespaces(): Finding {
  const restricted = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';
  if (existsSync(restricted) && readFileSync(restricted, 'utf8').trim() === '1' && process.getuid?.() !== 0)
    return warn(
      'user namespaces',
      'AppArmor keeps them from plain users',
      'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or install an AppArmor profile for bwrap',
    );
  const tried = run('unshare', ['--user', 'true']);
  if (tried.error !== undefined)
    return warn('user namespaces', 'unshare is not installed to try them', 'apt-get install util-linux');
  return tried.status === 0
    ? good('user namespaces', 'allowed')
    : warn('user namespaces', 'not allowed', 'sysctl -w user.max_user_namespaces=15000');
}

function limits(): Finding {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers') && isWritable('/sys/fs/cgroup/cgroup.procs'))
    return good('resource limits', 'cgroup v2, writable');
  if (isWritable('/sys/fs/cgroup/memory')) return good('resource limits', 'cgroup v1, writable');
  return warn(
    'resource limits',
    'no writable cgroup: limits are rlimits, and memory is not a hard limit',
    'run the agent as root, or under systemd with delegation',
  );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
