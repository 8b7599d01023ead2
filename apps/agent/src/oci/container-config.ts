import type { RootEntry } from './root-entry.ts';
import type { SeccompProfile } from './seccomp-profile.ts';

/** A folder or file of the host in a container. */
export interface ContainerMount {
  readonly hostPath: string;
  readonly sandboxPath: string;
  readonly mode: 'ro' | 'rw';
}

/** What one container is made of. */
export interface ContainerParts {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly hostname: string;
  readonly root: readonly RootEntry[];
  readonly mounts: readonly ContainerMount[];
  /** Folders of the root that are shown empty: gVisor masks none outside of /proc. */
  readonly hidden: readonly string[];
  readonly tmpfsBytes: number;
  /** Folders in memory that only the job's user passes, with their sizes. */
  readonly secret: Readonly<Record<string, number>>;
  readonly maskedPaths: readonly string[];
  /** null where the runtime is a kernel of its own and filters for itself. */
  readonly seccomp: SeccompProfile | null;
}

const NAMESPACES = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'] as const;
const READ_ONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
const QUIET = ['nosuid', 'nodev'];
const NONE = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] };
/** Device nodes are bound over empty files there; nothing else ever belongs into it. */
const DEV_BYTES = 65_536;

/**
 * The configuration of a container (OCI runtime-spec 1.0.2). No user namespace: the runtime already runs in one that holds the job's host user
 * alone, as 0. No capabilities and no way to get any; a network namespace with nothing but lo; a root that is read-only; limits come
 * from the cgroup that the runtime was started in.
 */
export function containerConfig(parts: ContainerParts, rootPath: string): object {
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: parts.args,
      env: Object.entries(parts.env).map(([name, value]) => `${name}=${value}`),
      cwd: parts.cwd,
      capabilities: NONE,
      noNewPrivileges: true,
    },
    root: { path: rootPath, readonly: true },
    hostname: parts.hostname,
    mounts: [
      ...rootMounts(parts.root),
      ...parts.hidden.map((path) => tmpfs(path, ['ro', 'mode=755', 'size=4096'])),
      ...ownMounts(parts.tmpfsBytes, parts.seccomp === null),
      ...Object.entries(parts.secret).map(([path, bytes]) => tmpfs(path, ['noexec', 'mode=700', `size=${bytes}`])),
      ...jobMounts(parts.mounts),
    ],
    linux: {
      namespaces: NAMESPACES.map((type) => ({ type })),
      maskedPaths: parts.maskedPaths,
      readonlyPaths: READ_ONLY_PATHS,
      ...(parts.seccomp === null ? {} : { seccomp: parts.seccomp }),
    },
  };
}

function rootMounts(root: readonly RootEntry[]): readonly object[] {
  return root.flatMap((entry) => (entry.kind === 'bind' ? [bind(entry.hostPath, entry.path, 'ro')] : []));
}

function tmpfs(destination: string, options: readonly string[]): object {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: [...QUIET, ...options] };
}

/** gVisor would refuse to write to the devices in a read-only /dev; what is in its /dev is its own, and memory of the job. */
function ownMounts(tmpfsBytes: number, ownKernel: boolean): readonly object[] {
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: [...QUIET, 'noexec'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'noexec', ...(ownKernel ? [] : ['ro']), 'mode=755', `size=${DEV_BYTES}`],
    },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance'] },
    tmpfs('/dev/shm', ['noexec', 'mode=1777', `size=${tmpfsBytes}`]),
    tmpfs('/tmp', ['mode=1777', `size=${tmpfsBytes}`]),
  ];
}

/** Outer folders first, or an inner mount would be hidden. */
function jobMounts(mounts: readonly ContainerMount[]): readonly object[] {
  return mounts
    .toSorted((a, b) => a.sandboxPath.length - b.sandboxPath.length)
    .map((mount) => bind(mount.hostPath, mount.sandboxPath, mount.mode));
}

function bind(source: string, destination: string, mode: 'ro' | 'rw'): object {
  return { destination, type: 'bind', source, options: ['bind', mode, ...QUIET] };
}
