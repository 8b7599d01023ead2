import type { JobId, OfferId } from '@ringfence/base';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { WHOLE_GPU, type FreeCapacity } from '../placement/placement-offer.ts';
import type { PlacementWishes } from '../placement/requirement.ts';
import { isKind, takeOf, withBack, without, type Take } from '../placement/take.ts';

/** A job that runs and may be told to stop for another one. */
export interface Victim {
  readonly job: JobId;
  readonly priority: number;
  readonly take: Take;
}

/** A machine, and what runs there that may be told to stop. */
export interface PreemptableMachine {
  readonly offer: OfferId;
  readonly free: FreeCapacity;
  readonly victims: readonly Victim[];
}

/** Whom to stop for a job, and what is free at the machine beside it once they have. */
export interface Preemption {
  readonly offer: OfferId;
  readonly victims: readonly JobId[];
  readonly spare: FreeCapacity;
}

/** The most jobs that are stopped for one. */
export const MOST_VICTIMS = 8;
/** How many machines and sets of jobs may still be looked at; what is left is for who asks next. */
export interface VictimLooks {
  left: number;
}

/** So many are looked at in all before it is given up. */
const MOST_LOOKS = 20_000;

/** What those who share a turn may look at together. */
export function victimLooks(): VictimLooks {
  return { left: MOST_LOOKS };
}

/** The job for which others would stop. */
export interface Preemptor {
  readonly priority: number;
  readonly placement: PlacementPart;
  readonly wishes?: PlacementWishes | undefined;
}

/**
 * The fewest jobs of lower priority whose end gives `job` room at one of `machines`; among as few, those whose highest priority is lowest,
 * then whose sum is, then at the smallest offer id. Never one of equal or higher priority. Undefined when no {@link MOST_VICTIMS} jobs of one
 * machine are enough, or no `looks` are left (then also the choice among as few may be another).
 */
export function fewestVictims(
  job: Preemptor,
  machines: readonly PreemptableMachine[],
  looks: VictimLooks = victimLooks(),
): Preemption | undefined {
  const open = machines
    .map((machine) => ({
      ...machine,
      victims: weakestFirst(machine.victims.filter(({ priority }) => priority < job.priority)),
    }))
    .toSorted((a, b) => (a.offer < b.offer ? -1 : 1));
  for (let count = 1; count <= MOST_VICTIMS; count += 1) {
    let best: Found | undefined;
    for (const machine of open) {
      if (machine.victims.length < count || !couldFit(job, machine, count)) continue;
      const found = searchSet(job, machine, { count, looks });
      if (found !== undefined && (best === undefined || isWeaker(found.set, best.set))) best = found;
    }
    if (best !== undefined)
      return { offer: best.offer, victims: best.set.map((victim) => victim.job), spare: best.spare };
    if (looks.left <= 0) return undefined;
  }
  return undefined;
}

interface Found {
  readonly offer: OfferId;
  readonly set: readonly Victim[];
  readonly spare: FreeCapacity;
}

interface Bounds {
  readonly count: number;
  readonly looks: VictimLooks;
}

function searchSet(
  job: Preemptor,
  { offer, free, victims }: PreemptableMachine,
  { count, looks }: Bounds,
): Found | undefined {
  let best: Found | undefined;
  const visit = (from: number, set: readonly Victim[], room: FreeCapacity): void => {
    if (looks.left <= 0) return;
    if (set.length === count) {
      looks.left -= 1;
      const take = takeOf(room, job.placement, job.wishes ?? {});
      const spare = take === undefined ? undefined : without(room, take);
      if (spare !== undefined && (best === undefined || isWeaker(set, best.set))) best = { offer, set, spare };
      return;
    }
    for (const [index, victim] of victims.entries()) {
      if (index < from || victims.length - index < count - set.length) continue;
      const more = withBack(room, victim.take);
      if (more !== undefined) visit(index + 1, [...set, victim], more);
    }
  };
  visit(0, [], free);
  return best;
}

/** Whether so many of the largest would be enough, resource by resource: no set is if they are not. */
function couldFit(job: Preemptor, machine: PreemptableMachine, count: number): boolean {
  const { resources } = job.placement;
  const { free, victims } = machine;
  const enough = (need: number, there: number, of: (take: Take) => number): boolean => {
    const largest = victims.map(({ take }) => of(take)).toSorted((a, b) => b - a);
    return largest.slice(0, count).reduce((sum, one) => sum + one, there) >= need;
  };
  return (
    enough(resources.cpuMilli, free.cpuMilli, (take) => take.cpuMilli) &&
    enough(resources.memoryBytes, free.memoryBytes, (take) => take.memoryBytes) &&
    enough(resources.diskBytes, free.diskBytes, (take) => take.diskBytes) &&
    couldHaveCards(job, machine, count)
  );
}

/** Whether one kind of card that the job may have could be there often enough. */
function couldHaveCards(
  { placement: { resources }, wishes = {} }: Preemptor,
  { free, victims }: PreemptableMachine,
  count: number,
): boolean {
  const want = resources.gpus;
  if (want === undefined) return true;
  return free.gpus.some((kind) => {
    if (!isKind(kind, want, wishes.most?.gpuMemoryBytes)) return false;
    const taken = victims.flatMap(({ take: { gpus } }) =>
      gpus?.model === kind.model && gpus.memoryBytes === kind.memoryBytes ? gpus.cards.length : [],
    );
    const { gpuMilli } = wishes;
    if (gpuMilli !== undefined) return taken.length > 0 || kind.cards.some((milli) => milli >= gpuMilli);
    const whole = kind.cards.filter((milli) => milli === WHOLE_GPU).length;
    const most = taken.toSorted((a, b) => b - a).slice(0, count);
    return most.reduce((sum, cards) => sum + cards, whole) >= want.count;
  });
}

function weakestFirst(victims: readonly Victim[]): Victim[] {
  return victims.toSorted((a, b) => a.priority - b.priority || (a.job < b.job ? -1 : 1));
}

function isWeaker(a: readonly Victim[], b: readonly Victim[]): boolean {
  const highest = (set: readonly Victim[]): number => Math.max(...set.map(({ priority }) => priority));
  const sum = (set: readonly Victim[]): number => set.reduce((all, { priority }) => all + priority, 0);
  return highest(a) - highest(b) < 0 || (highest(a) === highest(b) && sum(a) < sum(b));
}
