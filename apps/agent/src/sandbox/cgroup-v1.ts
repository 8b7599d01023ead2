import type { CgroupBase } from './capabilities.ts';
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

/** Starts the name of every cgroup that a sandbox makes in a version 1 hierarchy. */
const CGROUP_V1_PREFIX = 'ringfence.';
const PERIOD_US = 100_000;

/** The folders of sandbox `id`, one for each hierarchy (controllers may share one). */
export function cgroupV1Folders(base: CgroupBase & { readonly version: 1 }, id: string): readonly string[] {
  return [...new Set(Object.values(base.folders))].map((folder) => `${folder}/${CGROUP_V1_PREFIX}${id}`);
}

/** Writes limits in the files of Documentation/admin-guide/cgroup-v1 (memory, pids) and scheduler/sched-bwc. */
export function writeLimitsV1(folders: readonly string[], limits: CgroupLimits): void {
  const set = (file: string, value: number | null) => {
    const folder = folderWith(folders, file);
    if (value !== null && folder !== null) writeControl(folder, file, value);
  };
  set('memory.limit_in_bytes', limits.memoryBytes);
  // Memory and swap together, where swap is accounted: else a job would swap instead of reaching its limit.
  set('memory.memsw.limit_in_bytes', limits.memoryBytes);
  set('pids.max', limits.pids);
  if (limits.cpus !== null) {
    set('cpu.cfs_period_us', PERIOD_US);
    set('cpu.cfs_quota_us', Math.max(1000, Math.round(limits.cpus * PERIOD_US)));
  }
}

/** A version 1 cgroup: one folder in each hierarchy. */
export function openCgroupV1(folders: readonly string[]): Cgroup {
  return {
    version: 1,
    folders,
    add: (pid) => {
      for (const folder of folders) writeControl(folder, 'cgroup.procs', pid);
    },
    processes: () => listProcesses(folders),
    kill: () => killProcesses(folders),
    usage: () => {
      const nanoseconds = readNumber(folders, 'cpuacct.usage');
      return {
        peakMemoryBytes: readNumber(folders, 'memory.max_usage_in_bytes'),
        cpuMs: nanoseconds === null ? null : Math.round(nanoseconds / 1e6),
        oomKills: readEntry(folders, 'memory.oom_control', 'oom_kill'),
      };
    },
    remove: () => removeFolders(folders),
  };
}
