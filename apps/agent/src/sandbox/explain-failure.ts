import type { MissingLevel, MissingLevelCode } from './capabilities.ts';

/** Kernel settings that decide about user namespaces; null where the file does not exist. */
export interface NamespaceSettings {
  /** kernel.apparmor_restrict_unprivileged_userns (Ubuntu). */
  readonly apparmorRestricts: string | null;
  /** kernel.unprivileged_userns_clone (older Debian). */
  readonly unprivilegedClone: string | null;
  /** user.max_user_namespaces. */
  readonly most: string | null;
}

/** The oldest bubblewrap with --disable-userns. */
export const OLDEST_BUBBLEWRAP = '0.8.0';

/** A level that cannot be had, in words. */
export function missingLevel(code: MissingLevelCode, reason: string, remedy: string): MissingLevel {
  return { available: false, code, reason, remedy };
}

/** No bubblewrap on this machine. */
export const BUBBLEWRAP_ABSENT = missingLevel(
  'bubblewrap-absent',
  'bubblewrap is not installed',
  'install it: apt-get install bubblewrap (Debian, Ubuntu) or dnf install bubblewrap (Fedora, RHEL)',
);

/** Whether a version such as `0.11.0` is at least {@link OLDEST_BUBBLEWRAP}. */
export function isRecentBubblewrap(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 0 || minor >= 8;
}

/** Why a real run of bubblewrap failed, from its words, and what the operator can do about it. */
export function explainBubblewrapFailure(stderr: string, settings: NamespaceSettings): MissingLevel {
  if (/mount proc|Can't mount proc/i.test(stderr))
    return missingLevel(
      'proc-refused',
      'the kernel does not let a sandbox mount /proc, as in a container that hides parts of it',
      'start the container with --security-opt systempaths=unconfined (Docker) or --security-opt unmask=ALL (Podman)',
    );
  if (/namespace|uid map|gid map|RTM_NEWADDR|setgroups/i.test(stderr))
    return missingLevel(
      'user-namespaces-refused',
      'the system refuses user namespaces to the user of the job',
      namespaceRemedy(settings),
    );
  const words = stderr.split('\n').find((line) => line.startsWith('bwrap:')) ?? 'it ended without a word';
  return missingLevel(
    'probe-failed',
    `bubblewrap does not work here (${words})`,
    'run ringfence doctor and report its output',
  );
}

/** Why a real run of an OCI runtime failed, from its words and those of unshare, and what the operator can do about it. */
export function explainContainerFailure(stderr: string, settings: NamespaceSettings): MissingLevel {
  if (/^unshare:.*(?:mount|proc)/im.test(stderr))
    return missingLevel(
      'proc-refused',
      'the kernel does not let a container mount /proc, as in a container that hides parts of it',
      'start the outer container with --security-opt systempaths=unconfined (Docker) or --security-opt unmask=ALL (Podman)',
    );
  if (/^unshare:/im.test(stderr))
    return missingLevel(
      'user-namespaces-refused',
      'the system refuses user namespaces to the user of the job',
      namespaceRemedy(settings),
    );
  const words = stderr.split('\n').find((line) => line.trim() !== '') ?? 'it ended without a word';
  return missingLevel(
    'probe-failed',
    `the container runtime does not work here (${words.slice(0, 200)})`,
    'run ringfence doctor and report its output',
  );
}

function namespaceRemedy(settings: NamespaceSettings): string {
  if (settings.most === '0') return 'sysctl -w user.max_user_namespaces=15000';
  if (settings.unprivilegedClone === '0') return 'sysctl -w kernel.unprivileged_userns_clone=1';
  if (settings.apparmorRestricts === '1')
    return 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or load an AppArmor profile that allows userns for bwrap';
  return 'in a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined';
}
