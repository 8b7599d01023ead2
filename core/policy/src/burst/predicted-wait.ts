import type { EpochMs, JobId, OfferId } from '@ringfence/base';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { FreeCapacity } from '../placement/placement-offer.ts';
import type { PlacementWishes } from '../placement/requirement.ts';
import { takeOf, withBack, without, type Take } from '../placement/take.ts';

/** A machine of the organisation's own: what is free of it now, and what comes back and when at the latest. */
export interface HomeMachine {
  readonly offer: OfferId;
  readonly free: FreeCapacity;
  readonly running: readonly { readonly take: Take; readonly endsBy: EpochMs }[];
}

/** A job that waits, in the order of the queue. */
export interface QueuedJob {
  readonly job: JobId;
  readonly placement: PlacementPart;
  readonly wishes?: PlacementWishes | undefined;
  /** Machines that could take it if enough of them were free. */
  readonly machines: readonly OfferId[];
  /** How long it is thought to run; counted as its longest run when that is less. */
  readonly expectedMs: number;
}

/** What of a machine is free when. */
export interface Timeline {
  readonly machine: HomeMachine;
  /** When the last job that was thought of starts here; what is free from then on, and what comes back later. */
  at: number;
  free: FreeCapacity;
  readonly ends: { readonly at: number; readonly take: Take }[];
}

interface Start {
  readonly line: Timeline;
  readonly at: number;
  readonly free: FreeCapacity;
  readonly take: Take;
  readonly ended: number;
}

/**
 * How long each job of the queue is thought to wait for a machine at home, in milliseconds; Infinity where none could ever take it. An estimate:
 * jobs start in the order of the queue on each machine, and run as long as they are thought to.
 */
export function predictedWaits(
  machines: readonly HomeMachine[],
  queue: readonly QueuedJob[],
  now: EpochMs,
): ReadonlyMap<JobId, number> {
  const lines = new Map(machines.map((machine) => [machine.offer, timelineOf(machine, now)]));
  const waits = new Map<JobId, number>();
  for (const queued of queue) {
    const start = earliest(queued, lines);
    waits.set(queued.job, start === undefined ? Infinity : Math.max(0, start.at - now));
    if (start !== undefined) occupy(start, queued);
  }
  return waits;
}

/** A machine from `now` on; what should have ended before ends now. */
export function timelineOf(machine: HomeMachine, now: EpochMs): Timeline {
  const ends = machine.running.map(({ take, endsBy }) => ({ at: Math.max(now, endsBy), take }));
  return { machine, at: now, free: machine.free, ends: ends.toSorted((a, b) => a.at - b.at) };
}

function earliest(queued: QueuedJob, lines: ReadonlyMap<OfferId, Timeline>): Start | undefined {
  let best: Start | undefined;
  for (const offer of queued.machines) {
    const line = lines.get(offer);
    const start = line === undefined ? undefined : startOn(line, queued);
    if (start !== undefined && (best === undefined || start.at < best.at)) best = start;
  }
  return best;
}

function startOn(line: Timeline, { placement, wishes = {} }: QueuedJob): Start | undefined {
  let { free, at } = line;
  for (let ended = 0; ; ended += 1) {
    const take = takeOf(free, placement, wishes);
    if (take !== undefined) return { line, at, free, take, ended };
    const next = line.ends[ended];
    if (next === undefined) return undefined;
    at = Math.max(at, next.at);
    // What does not fit back was released otherwise already: the machine has at least what it had.
    free = withBack(free, next.take) ?? free;
  }
}

function occupy({ line, at, free, take, ended }: Start, { expectedMs, placement }: QueuedJob): void {
  line.at = at;
  line.free = without(free, take) ?? free;
  line.ends.splice(0, ended);
  const end = { at: at + Math.min(expectedMs, placement.maxDurationMs), take };
  const place = line.ends.findIndex((other) => other.at > end.at);
  line.ends.splice(place === -1 ? line.ends.length : place, 0, end);
}
