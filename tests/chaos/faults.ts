// Does one fault and returns how to take it back.
import { join } from 'node:path';
import { setClock } from './clocks.ts';
import { databasePid, databaseProcesses } from './database-server.ts';
import { fillDisk } from './disks.ts';
import { cut, slow, type OnHost } from './hosts.ts';
import { pidOf } from './keeper.ts';
import type { Fault } from './schedule.ts';

/** Where faults are done. */
export interface Place {
  /** Folder of the house. */
  readonly root: string;
  readonly on: OnHost;
  /** Folder of each disk, by its name in the schedule. */
  readonly disks: ReadonlyMap<string, string>;
}

/** Undoes a fault. */
export type Undo = () => void;

/** Does the fault; undefined when there was nothing to break, such as a process that is not running. */
export function breakIt(place: Place, { kind, target, how }: Fault): Undo | undefined {
  switch (kind) {
    case 'kill':
      return killAll(listed(pidOf(place.root, target)));
    case 'freeze':
      return freezeAll(listed(pidOf(place.root, target)));
    case 'database-killed':
      return killAll(listed(databasePid(join(place.root, target))));
    case 'database-frozen':
      return freezeAll(listed(databasePid(join(place.root, target))).flatMap(databaseProcesses));
    case 'cut':
      return cut(place.on, target, how);
    case 'slow':
      return slow(place.on, target);
    case 'disk-full':
      return fillDisk(place.disks.get(target) ?? '');
    case 'clock':
      setClock(place.root, target, how);
      return () => setClock(place.root, target, '+0');
  }
}

function listed(pid: number | undefined): number[] {
  return pid === undefined ? [] : [pid];
}

function killAll(pids: readonly number[]): Undo | undefined {
  for (const pid of pids) signal(pid, 'SIGKILL');
  return pids.length === 0 ? undefined : () => {};
}

function freezeAll(pids: readonly number[]): Undo | undefined {
  for (const pid of pids) signal(pid, 'SIGSTOP');
  return pids.length === 0
    ? undefined
    : () => {
        for (const pid of pids) signal(pid, 'SIGCONT');
      };
}

/** A process that ended meanwhile has nothing to be told. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
