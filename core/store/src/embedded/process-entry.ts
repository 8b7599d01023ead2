import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { readIfPresent } from '../first-writer.ts';

/** A live process as /proc shows it to everybody (proc(5)). */
export interface ProcessEntry {
  readonly pid: number;
  readonly uid: number;
  /** Clock ticks after boot at which it started: together with the pid it names a process for good. */
  readonly started: string;
  readonly command: readonly string[];
}

/** The live process `pid`; undefined when it has ended, a zombie included. */
export function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const stat = readIfPresent(`/proc/${pid}/stat`);
    const command = readIfPresent(`/proc/${pid}/cmdline`);
    const entry = statSync(`/proc/${pid}`, { throwIfNoEntry: false });
    const fields = stat === undefined ? undefined : parseStat(stat);
    if (fields === undefined || command === undefined || entry === undefined) return undefined;
    if (fields.state === 'Z' || fields.state === 'X') return undefined;
    return { pid, uid: entry.uid, started: fields.started, command: command.split('\0').slice(0, -1) };
  } catch {
    // ESRCH: it ended between two reads.
    return undefined;
  }
}

/** State letter and start time of a line of /proc/PID/stat; the name in brackets may hold spaces and brackets. */
export function parseStat(text: string): { state: string; started: string } | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  return state === undefined || started === undefined || !/^\d+$/.test(started) ? undefined : { state, started };
}

/** Whether `entry` is the server of the data folder: started by us, so its arguments begin `…/postgres -D <data>`. */
export function servesData(entry: ProcessEntry, data: string, uid: number): boolean {
  const [program = '', flag, folder] = entry.command;
  return entry.uid === uid && basename(program) === 'postgres' && flag === '-D' && folder === data;
}
