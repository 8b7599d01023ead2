import type { EpochMs, JobId } from '@ringfence/base';
import type { ChosenOffer, Placement, PlacementRequest } from '@ringfence/policy/placement';
import { placeGang, type Preemption } from '@ringfence/policy/queue';
import { ROOM_CONSTRAINTS, type WaitingReason } from '@ringfence/protocol/statements';
import type { OfferDesk, Place, Reserved } from '../placement/reserve-offers.ts';
import type { WaitingJob } from '../placement/waiting-job.ts';
import { HeldRoom, type AskedJob, type TurnOffers } from './held-room.ts';
import type { Nomination } from './queue-rows.ts';
import type { RunningAttempt } from './running-attempts.ts';
import type { TurnUnit } from './turn-units.ts';

/** In one turn so many jobs get others stopped for them. */
const MOST_NOMINEES = 4;

/** How many offers, for one reason that a job waits. */
export interface WaitingCount {
  readonly constraint: WaitingReason;
  readonly count: number;
}

/** A job of the turn, what was decided about it, and what it waits for if it got nothing. */
export interface TurnDecision extends Reserved {
  readonly job: WaitingJob;
  readonly waitsFor: readonly WaitingCount[];
}

/** A job, and who is to stop for it where. */
export interface Nominee {
  readonly job: JobId;
  readonly preemption: Preemption;
}

/** What a turn decided, and for whom others are to stop. */
export interface TurnOutcome {
  readonly decided: readonly TurnDecision[];
  readonly nominees: readonly Nominee[];
}

/** Decides where a job may go now: what it may ask for, asked of the placer. */
export interface Asking {
  ask(job: WaitingJob, place: Place): Placement;
  /** Where asking counts what it gave: call what is returned to forget all that was given since. */
  mark(): () => void;
}

/** A turn of an organisation. */
interface QueueTurn extends Asking {
  readonly kept: TurnOffers;
  readonly now: EpochMs;
  readonly units: readonly TurnUnit[];
  readonly nominations: readonly Nomination[];
  /** Read when it matters: where nothing waits, nobody asks what runs. */
  readonly running: () => Promise<readonly RunningAttempt[]>;
}

/** Decides about the units of a turn in their order: who finds room, whose room is kept, and who stops for whom. Writes nothing. */
export async function decideTurn(desk: OfferDesk, turn: QueueTurn): Promise<TurnOutcome> {
  const deciding = new DecidingTurn(desk, turn);
  if (turn.nominations.length > 0) await deciding.keepCleared(turn.nominations);
  for (const [at, unit] of turn.units.entries()) await deciding.decide(unit, at === turn.units.length - 1);
  return deciding;
}

interface Tried {
  readonly reserved: Reserved;
  /** What the placer was asked at last. */
  readonly request: PlacementRequest | undefined;
}

/** What a member of a gang got, until it is known whether all do. */
interface Given {
  readonly reserved: Reserved;
  readonly chosen: ChosenOffer;
  readonly rewind: () => void;
}

class DecidingTurn implements TurnOutcome {
  readonly decided: TurnDecision[] = [];
  readonly nominees: Nominee[] = [];
  readonly #desk: OfferDesk;
  readonly #turn: QueueTurn;
  readonly #started: [WaitingJob, ChosenOffer][] = [];
  #room: HeldRoom | undefined;

  constructor(desk: OfferDesk, turn: QueueTurn) {
    this.#desk = desk;
    this.#turn = turn;
  }

  /** Keeps machines for jobs for which others were told to stop in an earlier turn. */
  async keepCleared(nominations: readonly Nomination[]): Promise<void> {
    const room = await this.#heldRoom();
    for (const nomination of nominations) room.holdCleared(nomination);
  }

  async decide(unit: TurnUnit, isLast: boolean): Promise<void> {
    const [first, ...others] = unit.jobs;
    if (unit.missing > 0) {
      this.#noteApart(unit, 'gang-incomplete');
      return;
    }
    if (others.length > 0) return this.#decideGang(unit);
    const { reserved, request } = this.#try(first, unit);
    this.#note(first, reserved);
    if (!reserved.placement.decision.allow && request !== undefined)
      await this.#keepRoom([{ job: first, request }], reserved.placement, isLast);
  }

  async #decideGang(unit: TurnUnit): Promise<void> {
    const placed = placeGang<WaitingJob, Given>(unit.jobs, {
      place: (job) => this.#give(job, unit),
      undo: (given) => this.#takeBack(given),
    });
    if (placed !== undefined) {
      for (const [job, { reserved }] of placed) this.#note(job, reserved);
      return;
    }
    const asked = this.#noteApart(unit, 'gang-room');
    if (asked.length === unit.jobs.length) await this.#holdFor(asked);
  }

  #give(job: WaitingJob, unit: TurnUnit): Given | undefined {
    const rewind = this.#turn.mark();
    const { reserved } = this.#try(job, unit);
    const { decision } = reserved.placement;
    return decision.allow ? { reserved, chosen: decision.chosen, rewind } : undefined;
  }

  #takeBack({ chosen, rewind }: Given): void {
    this.#desk.giveBack(chosen);
    rewind();
  }

  /** Says of each member what it would wait for alone, and of one that would not that it waits for the others. */
  #noteApart(unit: TurnUnit, reason: WaitingReason): AskedJob[] {
    return unit.jobs.flatMap((job) => {
      const rewind = this.#turn.mark();
      const { reserved, request } = this.#try(job, unit);
      const { placement } = reserved;
      const { decision } = placement;
      if (decision.allow) this.#takeBack({ reserved, chosen: decision.chosen, rewind });
      const waitsFor = waitingCounts(placement, decision.allow ? reason : 'held');
      const alone: Placement = { ...placement, decision: { allow: false, reasons: [{ code: 'no-offer-fits' }] } };
      this.decided.push({ ...reserved, placement: alone, job, waitsFor });
      return request === undefined ? [] : [{ job, request }];
    });
  }

  #try(job: WaitingJob, { jobs }: TurnUnit): Tried {
    const closed = this.#room?.closedTo(job, { alone: jobs.length === 1 });
    let request: PlacementRequest | undefined;
    const reserved = this.#desk.take((place) =>
      this.#turn.ask(job, (asked) => {
        request = asked;
        return place(asked, closed);
      }),
    );
    return { reserved, request };
  }

  #note(job: WaitingJob, reserved: Reserved): void {
    const { placement } = reserved;
    this.decided.push({ ...reserved, job, waitsFor: waitingCounts(placement, 'held') });
    if (!placement.decision.allow) return;
    this.#started.push([job, placement.decision.chosen]);
    this.#room?.noteStarted(job, placement.decision.chosen);
  }

  /** For a job that found no room: others stop for it, or room is kept for it as what runs ends. */
  async #keepRoom(asked: readonly [AskedJob], placement: Placement, isLast: boolean): Promise<void> {
    if (placement.feasible > 0 || !waitsForRoom(placement)) return;
    const [one] = asked;
    // Nobody comes after the last, and nobody stops for a job of the lowest priority.
    if (isLast && one.job.priority === 0) return;
    const room = await this.#heldRoom();
    if (room.isCleared(one.job)) return;
    const preemption = this.nominees.length < MOST_NOMINEES ? room.preemptionFor(one) : undefined;
    if (preemption === undefined) return this.#holdFor(asked);
    room.holdPreempted(one.job, preemption);
    this.nominees.push({ job: one.job.job, preemption });
  }

  async #holdFor(asked: readonly AskedJob[]): Promise<void> {
    (await this.#heldRoom()).hold(asked);
  }

  async #heldRoom(): Promise<HeldRoom> {
    if (this.#room !== undefined) return this.#room;
    const { kept, now, running } = this.#turn;
    this.#room = new HeldRoom(kept, await running(), now);
    for (const [job, chosen] of this.#started) this.#room.noteStarted(job, chosen);
    return this.#room;
  }
}

const ROOM: ReadonlySet<WaitingReason> = new Set(ROOM_CONSTRAINTS);

/** An offer that lacks nothing but what others hold is counted under what it lacks. */
function waitsForRoom({ explanation }: Placement): boolean {
  return explanation.refused.some(({ constraint }) => ROOM.has(constraint));
}

/** Why nobody takes it: the constraints, and `reason` for the offers that fail none of them. */
function waitingCounts({ explanation, feasible }: Placement, reason: WaitingReason): WaitingCount[] {
  return [...explanation.refused, ...(feasible === 0 ? [] : [{ constraint: reason, count: feasible }])];
}
