import type { ContainerLevel } from '../oci/container-level.ts';
import type { SandboxArch } from './syscalls.ts';

/** A host uid and gid that jobs run as. */
export interface HostIdentity {
  readonly uid: number;
  readonly gid: number;
}

/** Who a job is on the host: one dedicated uid a slot when the agent is root, else the agent's own user. */
export type JobUsers =
  | { readonly kind: 'dedicated'; readonly firstUid: number; readonly slots: number }
  | { readonly kind: 'own'; readonly uid: number; readonly gid: number };

/** The host uid and gid of the job in `slot`, which must own every folder that the job writes. */
export function hostIdentity(users: JobUsers, slot: number): HostIdentity {
  return users.kind === 'own'
    ? { uid: users.uid, gid: users.gid }
    : { uid: users.firstUid + slot, gid: users.firstUid + slot };
}

/** Why an isolation level cannot be had on this machine. */
export type MissingLevelCode =
  | 'not-linux'
  | 'bubblewrap-absent'
  | 'bubblewrap-too-old'
  | 'prlimit-absent'
  | 'user-namespaces-refused'
  | 'proc-refused'
  | 'seccomp-absent'
  | 'no-agent-drop'
  | 'runtime-absent'
  | 'tools-absent'
  | 'not-offered'
  | 'probe-failed';

/** A level that is missing: what is wrong and the exact next step of the machine's operator. */
export interface MissingLevel {
  readonly available: false;
  readonly code: MissingLevelCode;
  readonly reason: string;
  readonly remedy: string;
}

/** bubblewrap as a real run of it was seen to work. */
export interface BubblewrapLevel {
  readonly available: true;
  readonly path: string;
  readonly version: string;
}

/** cgroup controllers that limit or measure a job; cpuacct is a part of cpu in version 2. */
export type CgroupController = 'memory' | 'pids' | 'cpu' | 'cpuacct';

/** Where sandboxes make their own cgroups: one folder for each controller (version 1), or one for all (version 2). */
export type CgroupBase =
  | { readonly version: 1; readonly folders: Readonly<Partial<Record<CgroupController, string>>> }
  | { readonly version: 2; readonly folder: string; readonly controllers: readonly CgroupController[] };

/** How memory is limited: for the whole job with a kill, for each process apart, or not at all. */
export type MemoryLimiting = 'hard' | 'per-process' | 'none';

/** Resource limits are a capability apart from isolation. */
export interface LimitCapabilities {
  readonly driver: 'cgroup-v1' | 'cgroup-v2' | 'rlimits';
  readonly base: CgroupBase | null;
  readonly memory: MemoryLimiting;
  readonly cpus: boolean;
  readonly pids: boolean;
  /** The most open files that a job may be given (hard RLIMIT_NOFILE of the agent). */
  readonly openFiles: number;
  /** What to do to get a better driver; null when nothing is missing. */
  readonly remedy: string | null;
}

/** What differs between machines in the root file system that a sandbox shows. */
export interface HostLayout {
  /** /bin, /sbin, /lib…: the target of a symlink, or null for a folder of its own. Absent paths are left out. */
  readonly roots: Readonly<Record<string, string | null>>;
  /** Files of /proc that tell about the whole machine and exist here. */
  readonly maskedFiles: readonly string[];
  /** Folders of the same kind, and those with settings of the machine's own programs. */
  readonly maskedFolders: readonly string[];
}

/** Programs of util-linux and coreutils by absolute path, null where absent. */
export interface HostTools {
  readonly prlimit: string | null;
  readonly setpriv: string | null;
  readonly env: string | null;
}

/** What this machine can do for jobs, as probed by running it. */
export interface SandboxCapabilities {
  readonly process: { readonly available: true } | MissingLevel;
  readonly sandbox: BubblewrapLevel | MissingLevel;
  /** An OCI runtime on the machine's kernel. */
  readonly container: ContainerLevel | MissingLevel;
  /** An OCI runtime with a kernel of its own. */
  readonly gvisor: ContainerLevel | MissingLevel;
  readonly limits: LimitCapabilities;
  /** null where the kernel or the architecture has no usable seccomp filter. */
  readonly seccomp: SandboxArch | null;
  readonly users: JobUsers;
  readonly layout: HostLayout;
  readonly tools: HostTools;
}
