import type { CgroupBase } from './capabilities.ts';

/** What a job's cgroup enforces; null is no limit. */
export interface CgroupLimits {
  readonly base: CgroupBase;
  readonly memoryBytes: number | null;
  readonly cpus: number | null;
  readonly pids: number | null;
}

/** What a job used; null where the kernel does not say. */
export interface CgroupUsage {
  readonly peakMemoryBytes: number | null;
  readonly cpuMs: number | null;
  /** Processes that the kernel killed because the job reached its memory limit. */
  readonly oomKills: number | null;
}

/** The cgroup of one sandbox, over all controllers. */
export interface Cgroup {
  readonly version: 1 | 2;
  readonly folders: readonly string[];
  /** Puts a process, with all its future children, in. */
  readonly add: (pid: number) => void;
  readonly processes: () => readonly number[];
  /** Sends SIGKILL to everything in it and stops it from forking; what is dying may still be listed. */
  readonly kill: () => void;
  readonly usage: () => CgroupUsage;
  /** Removes the folders; false while a process is still in one. */
  readonly remove: () => boolean;
}
