import type { CgroupController } from './capabilities.ts';

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountEntry {
  /** Folder of the file system that forms the root of this mount. */
  readonly root: string;
  readonly mountPoint: string;
  readonly fsType: string;
  readonly options: readonly string[];
}

/** Parses /proc/self/mountinfo; lines of another shape are left out. */
export function parseMountInfo(text: string): readonly MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ', 2);
    const [, , , root, mountPoint] = before?.split(' ') ?? [];
    const [fsType, , options] = after?.split(' ') ?? [];
    if (root === undefined || mountPoint === undefined || fsType === undefined) return [];
    return [{ root: unescape(root), mountPoint: unescape(mountPoint), fsType, options: options?.split(',') ?? [] }];
  });
}

/** One line of /proc/self/cgroup (cgroups(7)): no controllers for version 2. */
export interface OwnCgroup {
  readonly controllers: readonly string[];
  readonly path: string;
}

/** Parses /proc/self/cgroup. */
export function parseOwnCgroups(text: string): readonly OwnCgroup[] {
  return text.split('\n').flatMap((line) => {
    const match = /^[0-9]+:([^:]*):(\/.*)$/.exec(line);
    if (match === null) return [];
    return [{ controllers: (match[1] ?? '').split(',').filter((name) => name !== ''), path: match[2] ?? '/' }];
  });
}

/** The folders of this process's own version 1 cgroups, by controller. */
export function ownFoldersV1(
  mounts: readonly MountEntry[],
  own: readonly OwnCgroup[],
): Readonly<Partial<Record<CgroupController, string>>> {
  const wanted: readonly CgroupController[] = ['memory', 'pids', 'cpu', 'cpuacct'];
  const found = wanted.flatMap((controller) => {
    const mount = mounts.find((entry) => entry.fsType === 'cgroup' && entry.options.includes(controller));
    const path = own.find((entry) => entry.controllers.includes(controller))?.path;
    const folder = mount === undefined || path === undefined ? null : folderIn(mount, path);
    return folder === null ? [] : [[controller, folder] as const];
  });
  return Object.fromEntries(found);
}

/** Where version 2 is mounted and which folder this process is in, or null. */
export function ownFolderV2(
  mounts: readonly MountEntry[],
  own: readonly OwnCgroup[],
): { readonly top: string; readonly folder: string } | null {
  const mount = mounts.find((entry) => entry.fsType === 'cgroup2');
  const path = own.find((entry) => entry.controllers.length === 0)?.path;
  const folder = mount === undefined || path === undefined ? null : folderIn(mount, path);
  return mount === undefined || folder === null ? null : { top: mount.mountPoint, folder };
}

/** The folder of cgroup `path` below a mount that may show only a part of the hierarchy, as in a container. */
function folderIn(mount: MountEntry, path: string): string | null {
  if (path.split('/').includes('..')) return null;
  if (mount.root === '/') return path === '/' ? mount.mountPoint : mount.mountPoint + path;
  if (path !== mount.root && !path.startsWith(`${mount.root}/`)) return mount.mountPoint;
  return mount.mountPoint + path.slice(mount.root.length);
}

function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
}
