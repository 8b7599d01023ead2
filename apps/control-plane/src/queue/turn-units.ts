import type { EpochMs } from '@ringfence/base';
import { inQueueOrder, type InQueue } from '@ringfence/policy/queue';
import type { WaitingJob } from '../placement/waiting-job.ts';
import { isForming, type QueueRows } from './queue-rows.ts';

/** Jobs that start together: one, or all members of a gang that anybody has ordered. */
export interface TurnUnit {
  readonly jobs: readonly [WaitingJob, ...WaitingJob[]];
  /** How many of its gang nobody has ordered yet. */
  readonly missing: number;
}

/** The turn's own jobs and those that come before any of them, by unit, in the order of the queue. */
export function turnUnits(due: readonly WaitingJob[], { ahead, members }: QueueRows, now: EpochMs): TurnUnit[] {
  const last = due.toSorted((a, b) => order(a, b, now)).at(-1);
  const before = ahead.filter((job) => last !== undefined && order(job, last, now) < 0);
  const jobs = [...new Map([...due, ...before].map((job) => [job.job, job])).values()].toSorted((a, b) =>
    order(a, b, now),
  );
  const units: TurnUnit[] = [];
  const formed = new Set<string>();
  for (const job of jobs) {
    if (!isForming(job)) units.push({ jobs: [job], missing: 0 });
    else if (!formed.has(job.gang)) {
      formed.add(job.gang);
      const others = members.filter((member) => member.gang === job.gang && member.job !== job.job);
      const size = job.placement.gang?.size ?? 1;
      units.push({ jobs: [job, ...others], missing: Math.max(0, size - 1 - others.length) });
    }
  }
  return units;
}

function order(a: WaitingJob, b: WaitingJob, now: EpochMs): number {
  return inQueueOrder(placeOf(a), placeOf(b), now);
}

function placeOf({ job, priority, submitted_at: submittedAt }: WaitingJob): InQueue {
  return { job, priority, submittedAt };
}
