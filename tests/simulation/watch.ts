import type { AgentId, EpochMs, JobId } from '@ringfence/base';
import type { ChosenOffer, Placement, PlacementOffer, PlacementRequest } from '@ringfence/policy/placement';
import type { Refusal } from '@ringfence/protocol/messages';
import { CONSTRAINTS } from '@ringfence/protocol/statements';
import type { AttemptId } from '../../apps/agent/src/attempt/attempt-machine.ts';
import { bruteForce, naiveFailures } from '../../core/policy/src/placement/brute-force.fixture.ts';
import type { AttemptRow, JobRow, WaitingWhy } from './books.ts';
import { fits } from './held-capacity.ts';
import type { Shape } from './shapes.ts';
import { SpendWatch } from './spend-watch.ts';
import { TermWatch } from './term-watch.ts';
import type { Watcher, World } from './world.ts';

/** A look follows a change within half a second; twice that, and a control plane's start, are no reason to worry. */
const LOOK_WITHIN_MS = 1_500;
/** Longer than the longest peak with everything against it. */
const LONGEST_WAIT_MS = 4 * 3_600_000;
/** Winners, scores and counts of one decision in so many are compared with looking at every offer. */
const SAMPLED = 20;
const RESTRICTED_AWAY = 'restricted work is outside private sites';

interface Known {
  readonly shape: Shape;
  readonly workMs: number;
}

/**
 * Checks the simulation from outside after every event, by true time and by its own records; it throws at the first thing that is wrong. What it takes from the code
 * under test are the rows that it judges, never a judgement.
 */
export class Watch implements Watcher {
  readonly #world: World;
  readonly #jobs = new Map<JobId, Known>();
  /** Jobs that may wait for ever: their label forbids what they ask, or no machine is great enough. */
  readonly #hopeless: ReadonlySet<string>;
  readonly #running = new Map<JobId, Map<string, AttemptId>>();
  readonly #placed = new Map<string, AttemptRow>();
  /** Members of gangs that were leased for the first time since the last event. */
  #gangs: JobRow[] = [];
  readonly #spend: SpendWatch;
  readonly #terms: TermWatch;
  readonly counts = new Map<string, number>();
  longestWaitMs = 0;

  constructor(world: World, hopeless: ReadonlySet<string>) {
    this.#world = world;
    this.#hopeless = hopeless;
    this.#spend = new SpendWatch(world, (what) => this.fail(what));
    this.#terms = new TermWatch(world, (what) => this.fail(what));
  }

  fail(what: string): never {
    throw new Error(what);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  submitted(job: JobId, known: Known): void {
    this.count('submitted');
    this.#jobs.set(job, known);
  }

  shapeOf(job: JobId): Shape | undefined {
    return this.#jobs.get(job)?.shape;
  }

  workOf(job: JobId): number | undefined {
    return this.#jobs.get(job)?.workMs;
  }

  /** One decision of the placer, before anything is taken. */
  decided({ decision, feasible }: Placement, request: PlacementRequest, breakage: World['breakage']): void {
    this.count(decision.allow ? 'placed' : 'not placed');
    if (breakage !== undefined || !this.#world.chance.oneIn(SAMPLED)) return;
    this.count('compared with brute force');
    const naive = bruteForce(this.#offersNow(), request, 'EUR');
    if (decision.allow) {
      const best = naive.best[0];
      if (best?.offer.offer !== decision.chosen.offer) this.fail('brute force finds another offer');
      if (best.score !== decision.chosen.score) this.fail('brute force finds another score');
    }
    const loose = !decision.allow && decision.reasons.some(({ code }) => code === 'looser-than-label');
    if (!loose && naive.feasible !== feasible) this.fail(`${feasible} offers fit, by brute force ${naive.feasible}`);
  }

  /** What a waiting job was told. */
  waits({ explanation, considered, reasons }: WaitingWhy, request: PlacementRequest): void {
    if (reasons.includes('looser-than-label')) return;
    const told = explanation.refused.reduce((sum, { count }) => sum + count, 0);
    if (told !== considered) this.fail(`an explanation is not true: it counts ${told} of ${considered} offers`);
    if (!this.#world.chance.oneIn(SAMPLED)) return;
    const firsts = new Map<string, number>();
    for (const offer of this.#offersNow()) {
      const failed = naiveFailures(offer, request);
      const first = CONSTRAINTS.find((constraint) => failed.includes(constraint)) ?? 'none';
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    for (const { constraint, count } of explanation.refused)
      if (firsts.get(constraint) !== count) this.fail(`an explanation is not true: ${constraint} ${count}`);
  }

  /** A replica places. */
  turn(by: { readonly replica: string; readonly term: number | undefined }): void {
    this.#terms.turn(by);
  }

  /** An attempt was written into the books. */
  placed(row: AttemptRow, job: JobRow, of: { chosen: ChosenOffer; coveredMs: number; now: EpochMs }): void {
    const { shape } = job;
    const offer = this.#offer(row);
    if (offer.tier !== 'private' && shape.label.sensitivity === 'restricted') this.fail(RESTRICTED_AWAY);
    const failed = naiveFailures(offer, { placement: shape.placement, label: shape.label, now: of.now });
    if (failed.length > 0) this.fail(`a job was placed on an offer that breaks ${failed.join(', ')}`);
    this.count(`placed ${offer.tier}`);
    if (job.gang !== undefined && row.attempt === 1) this.#gangs.push(job);
    this.longestWaitMs = Math.max(this.longestWaitMs, this.#world.timeline.now - job.queuedAt);
    this.#placed.set(keyOf(row), row);
    if (row.away) this.#spend.placed(row, { hour: offer.price?.microUnits, ...of });
  }

  /** The control plane says that nothing of an attempt runs any more, and settles what it cost. */
  over(row: AttemptRow): void {
    if (this.#running.get(row.job)?.has(keyOf(row)) === true) this.fail('an attempt is settled that still runs');
    this.#spend.over(row);
  }

  /** An agent started an attempt's process. */
  started(agent: AgentId, id: AttemptId): void {
    this.count('started');
    const running = this.#running.get(id.job) ?? new Map<string, AttemptId>();
    this.#running.set(id.job, running.set(keyOf(id), id));
    if (running.size > 1) this.fail(`${running.size} attempts of one job run`);
    const row = this.#placed.get(keyOf(id));
    if (row?.agent !== agent) this.fail('an attempt runs where it was not placed');
  }

  exited(id: AttemptId): void {
    this.#running.get(id.job)?.delete(keyOf(id));
    const row = this.#placed.get(keyOf(id));
    if (row !== undefined) this.#spend.exited(row);
  }

  committed(job: JobId): void {
    if (this.counts.has(`committed ${job}`)) this.fail('a job was committed twice');
    this.counts.set(`committed ${job}`, 1);
    this.count('committed');
  }

  finished({ shape }: JobRow, state: string): void {
    this.count(`finished ${state}`);
    if (this.#hopeless.has(shape.name) && state === 'succeeded') this.fail('a job succeeded that may run nowhere');
  }

  /** What an agent finds by itself before a start: undefined for yes. */
  admits(agent: AgentId, id: AttemptId, live: readonly AttemptId[]): Refusal | undefined {
    const row = this.#placed.get(keyOf(id));
    if (row?.agent !== agent) return 'not-this-agent';
    const held = live.flatMap((each) => this.#placed.get(keyOf(each))?.take ?? []);
    return fits(this.#offer(row).free, held) ? undefined : 'capacity';
  }

  /** Everything that must hold after each event. */
  afterEvent(): void {
    const { books } = this.#world;
    const byOffer = new Map<AttemptRow['offer'], AttemptRow['take'][]>();
    for (const [job, rows] of books.attempts) {
      let live = 0;
      for (const row of rows) {
        if (!row.live) continue;
        live += 1;
        const held = byOffer.get(row.offer);
        if (held === undefined) byOffer.set(row.offer, [row.take]);
        else held.push(row.take);
        if (row.away && this.#jobs.get(job)?.shape.label.sensitivity === 'restricted') this.fail(RESTRICTED_AWAY);
      }
      if (live > 1) this.fail(`${live} attempts of one job are authorised`);
    }
    for (const [id, held] of byOffer) {
      const offer = books.offers.get(id);
      if (offer === undefined || !fits(offer.free, held)) this.fail('more is reserved than there is');
    }
    this.#spend.afterEvent();
    this.#startedTogether();
    this.#terms.afterEvent();
    for (const row of books.jobs.values()) if (row.facts.state === 'queued') this.#explained(row);
  }

  /** After everything was healed and nothing new came: only hopeless jobs may be left. */
  drained(): void {
    for (const { facts, shape, waiting } of this.#world.books.jobs.values())
      if (!this.#hopeless.has(shape.name))
        this.fail(`a job starves (${shape.name}, ${facts.state}): ${JSON.stringify(waiting)}`);
  }

  #startedTogether(): void {
    for (const [, members] of Map.groupBy(this.#gangs, ({ gang }) => gang?.id)) {
      const size = members[0]?.gang?.size;
      if (members.length !== size) this.fail(`${members.length} of a gang of ${size} started`);
    }
    this.#gangs = [];
  }

  #explained(row: JobRow): void {
    const { timeline } = this.#world;
    const since = Math.max(row.lookAt, this.#terms.placesSince);
    const fresh = timeline.now - since <= LOOK_WITHIN_MS;
    if (row.waiting === undefined && row.notBefore === undefined && !fresh)
      this.fail(`${row.shape.name} waits and nobody says why`);
    if (timeline.now - row.queuedAt > LONGEST_WAIT_MS && !this.#hopeless.has(row.shape.name))
      this.fail(`a job starves (${row.shape.name}): ${JSON.stringify(row.waiting)}`);
  }

  #offer({ offer }: AttemptRow): PlacementOffer {
    return this.#world.books.offers.get(offer) ?? this.fail('an offer is gone');
  }

  #offersNow(): PlacementOffer[] {
    const { inventory } = this.#world.placing ?? this.#world.controlPlane;
    return [...this.#world.books.offers.keys()].flatMap((id) => {
      const found = inventory.find(id);
      return found === undefined ? [] : [{ ...found.offer, free: found.free }];
    });
  }
}

function keyOf({ job, attempt }: AttemptId): string {
  return `${job} ${attempt}`;
}
