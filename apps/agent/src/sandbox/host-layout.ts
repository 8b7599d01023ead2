import { accessSync, constants, existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import type { HostLayout, HostTools } from './capabilities.ts';

const ROOTS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** Files that tell about the whole machine: keys, kernel addresses, kernel command line, timers of other processes. */
const MACHINE_FILES = [
  'kcore',
  'keys',
  'key-users',
  'kallsyms',
  'cmdline',
  'latency_stats',
  'timer_list',
  'sched_debug',
];
const MACHINE_FOLDERS = ['/proc/acpi', '/proc/asound', '/proc/scsi'];
/** Settings of the machine's own programs below /usr: names and passwords of its services among them. */
const SETTING_FOLDERS = ['/usr/local/etc', '/usr/etc'];

/** Reads what differs between machines in the root file system of a sandbox. */
export function hostLayout(): HostLayout {
  const roots = ROOTS.filter((path) => existsSync(path)).map((path) => [
    path,
    lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null,
  ]);
  return {
    roots: Object.fromEntries(roots),
    maskedFiles: MACHINE_FILES.map((name) => `/proc/${name}`).filter((path) => existsSync(path)),
    maskedFolders: [...MACHINE_FOLDERS, ...SETTING_FOLDERS].filter(isFolder),
  };
}

/** Finds the programs that sandboxes are started with, in the system's folders only: PATH may be anyone's. */
export function hostTools(): HostTools {
  return { prlimit: systemProgram('prlimit'), setpriv: systemProgram('setpriv'), env: systemProgram('env') };
}

/** The absolute path of a program of the system, or null. */
export function systemProgram(name: string): string | null {
  return (
    ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin'].map((folder) => `${folder}/${name}`).find(isExecutable) ?? null
  );
}

/** The agent's own hard limit of open files, the most that a job can be given. */
export function openFilesLimit(): number {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const limit = Number(line);
  return Number.isSafeInteger(limit) ? limit : 1_048_576;
}

/** A link among them would be followed by the mount that hides it, to a place that is not there. */
function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
