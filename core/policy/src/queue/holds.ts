import type { EpochMs, JobId, OfferId } from '@ringfence/base';
import { timelineOf, type HomeMachine, type QueuedJob } from '../burst/predicted-wait.ts';
import type { FreeCapacity } from '../placement/placement-offer.ts';
import { takeOf, withBack, without } from '../placement/take.ts';
import type { PlacementWishes } from '../placement/requirement.ts';
import type { PlacementPart } from '@ringfence/protocol/statements';

/** A machine's room that is kept for jobs which wait for it. */
export interface Hold {
  readonly jobs: readonly JobId[];
  readonly offer: OfferId;
  /** When they can start there at the latest, as far as the longest runs of what runs say. */
  readonly at: number;
  /** What is free there then beside what they take. */
  readonly spare: FreeCapacity;
}

/** What a hold is asked about: a job that would start now. */
export interface Backfilled {
  readonly placement: PlacementPart;
  readonly wishes?: PlacementWishes | undefined;
  readonly endsBy: number;
}

type Member = Pick<QueuedJob, 'job' | 'placement' | 'wishes' | 'machines'>;

/**
 * The room that jobs which start together (one, or a gang) wait for: at the earliest moment at which all of them fit somewhere, as what runs
 * ends; undefined when there is no such moment. A machine that is `held` already is not looked at. (EASY backfill: Lifka, "The ANL/IBM SP
 * Scheduling System", 1995, with one reservation for each of the jobs that come first instead of a single one.)
 */
export function holdsFor(
  members: readonly Member[],
  machines: readonly HomeMachine[],
  { held, now }: { readonly held: ReadonlySet<OfferId>; readonly now: EpochMs },
): readonly Hold[] | undefined {
  const wanted = new Set(members.flatMap((member) => member.machines));
  const lines = machines
    .filter(({ offer }) => wanted.has(offer) && !held.has(offer))
    .map((one) => timelineOf(one, now));
  const moments = [...new Set([now, ...lines.flatMap(({ ends }) => ends.map(({ at }) => at))])].toSorted(
    (a, b) => a - b,
  );
  const fitAt = (index: number): Hold[] | undefined => {
    const at = moments[index];
    return at === undefined
      ? undefined
      : startedAt(members, new Map(lines.map((line) => [line.machine.offer, freeAt(line, at)])), at);
  };
  // What is free only grows: whoever fits at one moment fits at every later one.
  let [first, after] = [0, moments.length];
  while (first < after) {
    const middle = (first + after) >> 1;
    if (fitAt(middle) === undefined) first = middle + 1;
    else after = middle;
  }
  return fitAt(first);
}

/** Whether a job may start now at the machine of `hold` without keeping whom it is held for from starting in time. */
export function mayStart({ at, spare }: Hold, { placement, wishes = {}, endsBy }: Backfilled): boolean {
  return endsBy <= at || takeOf(spare, placement, wishes) !== undefined;
}

/** What `hold` is once such a job has started there. */
export function holdBeside(hold: Hold, { placement, wishes = {}, endsBy }: Backfilled): Hold {
  const take = endsBy <= hold.at ? undefined : takeOf(hold.spare, placement, wishes);
  const spare = take === undefined ? undefined : without(hold.spare, take);
  return spare === undefined ? hold : { ...hold, spare };
}

function freeAt({ free, ends }: ReturnType<typeof timelineOf>, at: number): FreeCapacity {
  // What does not fit back was released otherwise already: the machine has at least what it had.
  return ends.reduce((room, end) => (end.at > at ? room : (withBack(room, end.take) ?? room)), free);
}

function startedAt(members: readonly Member[], free: Map<OfferId, FreeCapacity>, at: number): Hold[] | undefined {
  const jobs = new Map<OfferId, JobId[]>();
  for (const { job, placement, wishes = {}, machines } of members) {
    const offer = machines.find((one) => {
      const room = free.get(one);
      return room !== undefined && takeOf(room, placement, wishes) !== undefined;
    });
    const room = offer === undefined ? undefined : free.get(offer);
    const take = room === undefined ? undefined : takeOf(room, placement, wishes);
    const left = room === undefined || take === undefined ? undefined : without(room, take);
    if (offer === undefined || left === undefined) return undefined;
    free.set(offer, left);
    jobs.set(offer, [...(jobs.get(offer) ?? []), job]);
  }
  return [...jobs].flatMap(([offer, of]) => {
    const spare = free.get(offer);
    return spare === undefined ? [] : [{ jobs: of, offer, at, spare }];
  });
}
