import type { Cgroup } from './cgroup.ts';
import { liveProcesses, processStat, runsAs, startedWith, treeOf } from './process-table.ts';
import { MARKER_VARIABLE } from './record.ts';

/** By what the processes of one sandbox are known; never by a name. */
export interface TreeIdentity {
  readonly id: string;
  readonly pid: number;
  readonly startTicks: number;
  /** A host uid that is this job's alone, or null. */
  readonly uid: number | null;
  readonly cgroup: Cgroup | null;
}

/** The living processes of a sandbox, its first process included. */
export function membersOf(tree: TreeIdentity): readonly number[] {
  const first = isFirst(tree) ? [tree.pid] : [];
  const inCgroup = tree.cgroup?.processes().filter(isAlive) ?? [];
  // A job with a user of its own cannot write cgroup files: what is in its cgroup is all there is, however it forked.
  // One that runs as the agent's user might have left it.
  const others = tree.cgroup !== null && tree.uid !== null ? [] : membersByLooking(tree, first.length > 0);
  return [...new Set([...first, ...inCgroup, ...others])];
}

function membersByLooking(tree: TreeIdentity, withChildren: boolean): readonly number[] {
  const { uid } = tree;
  const marker = `${MARKER_VARIABLE}=${tree.id}`;
  const processes = liveProcesses();
  const below = withChildren ? treeOf(tree.pid, processes).map((stat) => stat.pid) : [];
  const known = processes
    .map((stat) => stat.pid)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => (uid === null ? startedWith(pid, marker) : runsAs(pid, uid, 1)));
  return [...below, ...known];
}

/** Sends `signal` to a process of the agent's; one that is gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** One pass of SIGKILL over everything in the sandbox; repeat until {@link membersOf} is empty. */
export function killTree(tree: TreeIdentity): void {
  // A stopped first process makes no more children between the look and the kill.
  if (isFirst(tree)) signalProcess(tree.pid, 'SIGSTOP');
  tree.cgroup?.kill();
  for (const pid of membersOf(tree)) signalProcess(pid, 'SIGKILL');
}

function isFirst(tree: TreeIdentity): boolean {
  return processStat(tree.pid)?.startTicks === tree.startTicks && isAlive(tree.pid);
}

function isAlive(pid: number): boolean {
  const state = processStat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}
