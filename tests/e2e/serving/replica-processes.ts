// Programs of replicas, as the machine sees them.
import { readdirSync, readFileSync } from 'node:fs';

/** Ids of the processes with this command line that descend from a process. */
export function programsBelow(ancestor: number, commandLine: string): readonly number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
  return pids.filter((pid) => commandLineOf(pid) === commandLine && descends(pid, ancestor));
}

function descends(pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; at = parentOf(at)) if (at === ancestor) return true;
  return false;
}

function parentOf(pid: number): number {
  return Number(read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[1] ?? 0);
}

function commandLineOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1).join(' ');
}

/** Empty for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
