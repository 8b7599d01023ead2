import type { CgroupController } from './capabilities.ts';
import type { Cgroup, CgroupLimits } from './cgroup.ts';
import {
  folderWith,
  killProcesses,
  listProcesses,
  readEntry,
  readNumber,
  removeFolders,
  writeControl,
} from './cgroup-files.ts';

/** Starts the name of every cgroup that a sandbox makes in the version 2 hierarchy. */
export const CGROUP_V2_PREFIX = 'ringfence.';
const PERIOD_US = 100_000;

/** Writes limits in the files of Documentation/admin-guide/cgroup-v2; those of absent controllers are left out. */
export function writeLimitsV2(
  folders: readonly string[],
  limits: CgroupLimits,
  controllers: readonly CgroupController[],
): void {
  const set = (controller: CgroupController, file: string, value: string | number | null) => {
    const folder = folderWith(folders, file);
    if (value !== null && controllers.includes(controller) && folder !== null) writeControl(folder, file, value);
  };
  set('memory', 'memory.max', limits.memoryBytes);
  set('memory', 'memory.swap.max', limits.memoryBytes === null ? null : 0);
  // A job that lost one process to the limit is not the job that was asked for: it dies as a whole.
  set('memory', 'memory.oom.group', limits.memoryBytes === null ? null : 1);
  set('pids', 'pids.max', limits.pids);
  const quota = limits.cpus === null ? null : Math.max(1000, Math.round(limits.cpus * PERIOD_US));
  set('cpu', 'cpu.max', quota === null ? null : `${quota} ${PERIOD_US}`);
}

/** A version 2 cgroup: one folder. */
export function openCgroupV2(folders: readonly string[]): Cgroup {
  return {
    version: 2,
    folders,
    add: (pid) => {
      for (const folder of folders) writeControl(folder, 'cgroup.procs', pid);
    },
    processes: () => listProcesses(folders),
    kill: () => {
      const folder = folderWith(folders, 'cgroup.kill');
      if (folder === null) killProcesses(folders);
      else writeControl(folder, 'cgroup.kill', 1);
    },
    usage: () => {
      const microseconds = readEntry(folders, 'cpu.stat', 'usage_usec');
      return {
        peakMemoryBytes: readNumber(folders, 'memory.peak'),
        cpuMs: microseconds === null ? null : Math.round(microseconds / 1000),
        oomKills: readEntry(folders, 'memory.events', 'oom_kill'),
      };
    },
    remove: () => removeFolders(folders),
  };
}
