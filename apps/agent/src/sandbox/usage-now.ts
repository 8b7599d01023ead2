import { readFileSync } from 'node:fs';
import type { Cgroup } from './cgroup.ts';
import { readEntry, readNumber } from './cgroup-files.ts';
import { membersOf, type TreeIdentity } from './process-tree.ts';

/** What a sandbox uses at this moment. */
export interface UsageNow {
  /** Processor time since its start in milliseconds; without a cgroup that of processes which ended unseen is missing. */
  readonly cpuMs: number;
  /** Memory that could not be taken from it without a cost: files that the kernel merely keeps at hand are left out. */
  readonly memoryBytes: number;
  readonly processes: number;
}

/** Every Linux that Node runs on counts user time in hundredths of a second (USER_HZ, times(2)). */
const TICK_MS = 10;

/** Reads the cgroup where there is one, and /proc for what it does not say. */
export function usageNow(tree: TreeIdentity): UsageNow {
  const pids = membersOf(tree);
  const byProcess = pids.map(processUsage).filter((usage) => usage !== null);
  const sum = (of: 'cpuMs' | 'memoryBytes'): number => byProcess.reduce((total, usage) => total + usage[of], 0);
  return {
    cpuMs: tree.cgroup?.usage().cpuMs ?? sum('cpuMs'),
    memoryBytes: (tree.cgroup === null ? null : cgroupMemory(tree.cgroup)) ?? sum('memoryBytes'),
    processes: pids.length,
  };
}

function cgroupMemory({ version, folders }: Cgroup): number | null {
  const [usageFile, entry] =
    version === 1 ? ['memory.usage_in_bytes', 'total_inactive_file'] : ['memory.current', 'inactive_file'];
  const usage = readNumber(folders, usageFile);
  return usage === null ? null : Math.max(0, usage - (readEntry(folders, 'memory.stat', entry) ?? 0));
}

function processUsage(pid: number): { cpuMs: number; memoryBytes: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return {
      cpuMs: ticksOf(stat) * TICK_MS,
      memoryBytes: residentBytes(readFileSync(`/proc/${pid}/status`, 'latin1')),
    };
  } catch {
    // Gone since it was listed.
    return null;
  }
}

/** utime, stime and those of children that were waited for: fields 14 to 17 of proc_pid_stat(5). */
function ticksOf(stat: string): number {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  return fields.slice(11, 15).reduce((sum, field) => sum + (Number(field) || 0), 0);
}

function residentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
