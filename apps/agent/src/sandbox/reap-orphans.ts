import { rmSync } from 'node:fs';
import type { Clock } from '@ringfence/base';
import { endTree } from './end-tree.ts';
import { removeLeftovers } from './own-leftovers.ts';
import { openCgroup } from './open-cgroup.ts';
import { bootId } from './process-table.ts';
import { membersOf } from './process-tree.ts';
import type { TreeIdentity } from './process-tree.ts';
import { readRecords, removeRecord } from './record.ts';
import type { SandboxRecord } from './record.ts';

/** A sandbox of an earlier agent process, ended now. */
export interface ReapedSandbox {
  readonly id: string;
  /** How many of its processes still ran. */
  readonly processes: number;
}

/**
 * Ends every sandbox that an earlier agent process with the same `stateDir` left behind; for the agent's boot, before it
 * starts anything. Processes are found by cgroup, by pid with start time, by the job's own uid or by the marker of level
 * process, never by name. Throws SandboxError `not-stopped` or `bad-record`: an agent that cannot know must not start.
 */
export async function reapOrphans(stateDir: string, clock: Clock): Promise<readonly ReapedSandbox[]> {
  const reaped: ReapedSandbox[] = [];
  for (const record of readRecords(stateDir)) {
    const processes = record.bootId === bootId() ? await reap(record, clock) : 0;
    if (record.scratch !== null) rmSync(record.scratch, { recursive: true, force: true });
    if (record.scratch !== null && record.uid !== null) removeLeftovers(record.uid);
    removeRecord(stateDir, record.id);
    reaped.push({ id: record.id, processes });
  }
  return reaped;
}

async function reap(record: SandboxRecord, clock: Clock): Promise<number> {
  const { id, pid, startTicks, uid, cgroup } = record;
  const tree: TreeIdentity = {
    id,
    pid,
    startTicks,
    uid,
    cgroup: cgroup === null ? null : openCgroup(cgroup.version, cgroup.folders),
  };
  const processes = membersOf(tree).length;
  await endTree(tree, clock);
  return processes;
}
