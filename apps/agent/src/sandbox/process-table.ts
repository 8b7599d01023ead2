import { readFileSync, readdirSync } from 'node:fs';

/** One line of /proc/PID/stat (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  /** R, S, D, Z … ; Z and X are dead. */
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  /** Clock ticks since boot; with the pid it names a process for good. */
  readonly startTicks: number;
}

/** Parses /proc/PID/stat; the program's name in parentheses may hold anything, so fields count from the last one. */
export function parseProcessStat(text: string): ProcessStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return null;
  const fields = text
    .slice(close + 1)
    .trim()
    .split(/\s+/);
  const state = fields[0] ?? '';
  const numbers = [text.slice(0, open), fields[1], fields[3], fields[19]].map(Number);
  const [pid = Number.NaN, parent = Number.NaN, session = Number.NaN, startTicks = Number.NaN] = numbers;
  if (![pid, parent, session, startTicks].every(Number.isSafeInteger) || !/^[A-Za-z]$/.test(state)) return null;
  return { pid, state, parent, session, startTicks };
}

/** The process `pid`, or null when there is none. */
export function processStat(pid: number): ProcessStat | null {
  const text = readProcess(pid, 'stat');
  return text === null ? null : parseProcessStat(text);
}

/** Every process that is not dead. */
export function liveProcesses(): readonly ProcessStat[] {
  return processIds()
    .map((pid) => processStat(pid))
    .filter((stat) => stat !== null)
    .filter((stat) => stat.state !== 'Z' && stat.state !== 'X');
}

/** `root` and everything below it among `processes`. */
export function treeOf(root: number, processes: readonly ProcessStat[]): readonly ProcessStat[] {
  const children = Map.groupBy(processes, (stat) => stat.parent);
  const tree: ProcessStat[] = processes.filter((stat) => stat.pid === root);
  // The list grows while it is walked; a process has one parent, so each is added once.
  for (const stat of tree) tree.push(...(children.get(stat.pid) ?? []));
  return tree;
}

/** Whether any of the four uids of `pid` is in [first, first + count). */
export function runsAs(pid: number, first: number, count: number): boolean {
  return usesUid(readProcess(pid, 'status') ?? '', first, count);
}

/** Whether any process that is not dead has `uid` among its four; one read for each process, since every start waits for it. */
export function isUidBusy(uid: number): boolean {
  return processIds().some((pid) => {
    const status = readProcess(pid, 'status') ?? '';
    return usesUid(status, uid, 1) && !/^State:\s+[ZX]/m.test(status);
  });
}

function usesUid(status: string, first: number, count: number): boolean {
  const line = /^Uid:\s+(.*)$/m.exec(status)?.[1] ?? '';
  return line.split(/\s+/).some((uid) => uid !== '' && Number(uid) >= first && Number(uid) < first + count);
}

/** Whether `pid` started with the environment entry `entry` (`NAME=value`); false where it may not be read. */
export function startedWith(pid: number, entry: string): boolean {
  return readProcess(pid, 'environ')?.split('\0').includes(entry) ?? false;
}

/** The id of this boot of the machine: a start time means nothing across boots. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function processIds(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[1-9][0-9]*$/.test(name))
    .map(Number);
}

function readProcess(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return null;
  }
}
