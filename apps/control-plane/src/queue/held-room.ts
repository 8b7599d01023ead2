import type { EpochMs, JobId, OfferId } from '@ringfence/base';
import { epochMs } from '@ringfence/base';
import type { HomeMachine } from '@ringfence/policy/burst';
import { signedWishes, type ChosenOffer, type PlacementRequest } from '@ringfence/policy/placement';
import {
  fewestVictims,
  holdBeside,
  holdsFor,
  mayStart,
  victimLooks,
  type Hold,
  type PreemptableMachine,
  type Preemption,
} from '@ringfence/policy/queue';
import { ROOM_CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';
import type { KeptInventory } from '../placement/kept-inventory.ts';
import type { WaitingJob } from '../placement/waiting-job.ts';
import { jobShape } from './job-shape.ts';
import type { Nomination } from './queue-rows.ts';
import { withCards, type RunningAttempt } from './running-attempts.ts';

/** What ends when others do; every other constraint stays. */
const ROOM: ReadonlySet<Constraint> = new Set(ROOM_CONSTRAINTS);

/** For so many, one by one or gangs, room is kept in one turn: each is asked of every machine on which something runs. */
const MOST_HELD_FOR = 16;

/** What a turn asks of an organisation's offers beside where a job goes. */
export type TurnOffers = Pick<KeptInventory, 'find' | 'whyNot'>;

/** A job with what the placer was asked for it last. */
export interface AskedJob {
  readonly job: WaitingJob;
  readonly request: PlacementRequest;
}

/** Which room of a turn's machines is kept for whom. One that is made for each try of a turn. */
export class HeldRoom {
  readonly #kept: TurnOffers;
  readonly #now: EpochMs;
  readonly #running: Map<OfferId, RunningAttempt[]>;
  readonly #holds = new Map<OfferId, Hold>();
  /** Machines that are being cleared, with the priority of the job for which. */
  readonly #cleared = new Map<OfferId, { readonly job: JobId; readonly priority: number }>();

  /** By shape what was found out in this turn, which nothing in it changes: which machines could take it, and what was sought in vain. */
  readonly #couldTake = new Map<string, Map<OfferId, boolean>>();
  readonly #heldNowhere = new Set<string>();
  /** The highest priority for which nobody could be stopped. */
  readonly #stopsNobody = new Map<string, number>();
  readonly #looks = victimLooks();
  #heldFor = 0;

  constructor(kept: TurnOffers, running: readonly RunningAttempt[], now: EpochMs) {
    this.#kept = kept;
    this.#now = now;
    this.#running = Map.groupBy(running, ({ offer }) => offer);
  }

  /**
   * Where a job must not start now, since that would keep a job before it from starting in time. One of several that start together uses no
   * room beside what is kept: the others could count on the same.
   */
  closedTo({ job, placement, priority }: WaitingJob, { alone }: { readonly alone: boolean }): ReadonlySet<OfferId> {
    const asked = { placement, endsBy: this.#now + placement.maxDurationMs };
    const closed = new Set<OfferId>();
    for (const [offer, hold] of this.#holds) {
      const cleared = this.#cleared.get(offer);
      // A machine that is cleared is free for jobs that are more urgent than the one for which it is.
      if (hold.jobs.includes(job) || (cleared !== undefined && priority > cleared.priority)) continue;
      if (!(alone || asked.endsBy <= hold.at) || !mayStart(hold, asked)) closed.add(offer);
    }
    return closed;
  }

  /** Notes what a job of the turn got. */
  noteStarted({ job, placement, priority }: WaitingJob, { offer, take }: ChosenOffer): void {
    const endsBy = epochMs(this.#now + placement.maxDurationMs);
    const attempt = { job, offer, take, endsBy, priority, stopping: false, preemptible: false };
    this.#running.set(offer, [...(this.#running.get(offer) ?? []), attempt]);
    const hold = this.#holds.get(offer);
    if (hold === undefined) return;
    if (hold.jobs.includes(job)) {
      this.#holds.delete(offer);
      this.#heldNowhere.clear();
    } else this.#holds.set(offer, holdBeside(hold, { placement, endsBy }));
  }

  /** Keeps room for jobs that found none, at the earliest moment at which all of them fit somewhere. */
  hold(waiting: readonly AskedJob[]): void {
    if (this.#heldFor >= MOST_HELD_FOR) return;
    const shapes = waiting.map(({ request }) => shapeOf(request));
    const together = shapes.join(' ');
    if (this.#heldNowhere.has(together)) return;
    this.#heldFor += 1;
    const machines = this.#machines();
    const members = waiting.map(({ job, request }, index) => ({
      job: job.job,
      placement: request.placement,
      wishes: request.wishes,
      machines: this.#takers(request, shapes[index] ?? shapeOf(request), machines),
    }));
    const held = new Set(this.#holds.keys());
    const holds = holdsFor(members, machines, { held, now: this.#now }) ?? [];
    if (holds.length === 0) this.#heldNowhere.add(together);
    for (const hold of holds) this.#holds.set(hold.offer, hold);
  }

  /** Keeps a machine for a job for which others there were told to stop. */
  holdCleared({ job, offer, placement, priority }: Nomination): void {
    this.#cleared.set(offer, { job, priority });
    const machine = this.#machine(offer, (one) => one.stopping || one.endsBy <= this.#now);
    if (machine === undefined) return;
    const member = { job, placement, wishes: signedWishes(placement), machines: [offer] };
    const soon = { ...machine, running: machine.running.map((one) => ({ ...one, endsBy: this.#now })) };
    for (const hold of holdsFor([member], [soon], { held: new Set(), now: this.#now }) ?? [])
      this.#holds.set(offer, hold);
  }

  /** Whether a machine is being cleared for `job`. */
  isCleared({ job }: WaitingJob): boolean {
    return [...this.#cleared.values()].some((cleared) => cleared.job === job);
  }

  /** Whom to stop for a job that found no room; undefined when nobody may be. */
  preemptionFor({ job, request }: AskedJob): Preemption | undefined {
    const shape = shapeOf(request);
    if (job.priority <= (this.#stopsNobody.get(shape) ?? -1)) return undefined;
    const machines: PreemptableMachine[] = [];
    for (const [offer, running] of this.#running) {
      if (this.#cleared.has(offer) || !running.some((one) => one.preemptible && one.priority < job.priority)) continue;
      if (this.#looks.left <= 0) break;
      this.#looks.left -= 1;
      const machine = this.#machine(offer, (one) => one.preemptible);
      if (machine === undefined || this.#takers(request, shape, [machine]).length === 0) continue;
      machines.push({ offer, free: machine.free, victims: machine.running });
    }
    const { placement, wishes } = request;
    const found = fewestVictims({ priority: job.priority, placement, wishes }, machines, this.#looks);
    if (found === undefined) this.#stopsNobody.set(shape, job.priority);
    return found;
  }

  /** Keeps the machine of a preemption that was decided just now. */
  holdPreempted({ job, priority }: WaitingJob, { offer, spare }: Preemption): void {
    this.#holds.set(offer, { jobs: [job], offer, at: this.#now, spare });
    this.#cleared.set(offer, { job, priority });
  }

  /** Those of `machines` that could take what is asked for, each asked once for a shape. */
  #takers(request: PlacementRequest, shape: string, machines: readonly { readonly offer: OfferId }[]): OfferId[] {
    const known = this.#couldTake.get(shape) ?? new Map<OfferId, boolean>();
    this.#couldTake.set(shape, known);
    return machines.flatMap(({ offer }) => {
      const takes = known.get(offer) ?? this.#askWhyNot(request, offer);
      known.set(offer, takes);
      return takes ? offer : [];
    });
  }

  #askWhyNot(request: PlacementRequest, offer: OfferId): boolean {
    const why = this.#kept.whyNot(request, offer);
    if (why === undefined || this.#kept.find(offer)?.offer.diskFull === true) return false;
    return why.fits || why.failed.every((constraint) => ROOM.has(constraint));
  }

  #machines(): HomeMachine[] {
    return [...this.#running.keys()].flatMap((offer) => this.#machine(offer, () => true) ?? []);
  }

  #machine(
    offer: OfferId,
    counts: (attempt: RunningAttempt) => boolean,
  ): (Omit<HomeMachine, 'running'> & { readonly running: readonly RunningAttempt[] }) | undefined {
    const free = this.#kept.find(offer)?.free;
    if (free === undefined) return undefined;
    return { offer, free, running: withCards(this.#running.get(offer) ?? [], free).filter(counts) };
  }
}

/** By what the placer is asked, which the gate may have narrowed since the job was signed. */
function shapeOf({ placement, label }: PlacementRequest): string {
  return jobShape(placement, label);
}
