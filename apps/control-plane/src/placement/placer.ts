import { errorFields, isId, type JobId, type OrgId } from '@ringfence/base';
import type { Subscription } from '@ringfence/store';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { forgetTokens } from '../service-accounts/exchange-token.ts';
import { forgetCeremonies } from '../ceremonies/ceremony.ts';
import { expireJobs, expireLeases, forgetNonces } from '../jobs/lease-watch.ts';
import type { SeenLeases } from '../jobs/silent-leases.ts';
import { endAvoidances } from '../marketplace/end-avoidances.ts';
import { strikeEndedPapers, type SeenEnds } from '../marketplace/ended-papers.ts';
import { forgetStale } from '../members/forget-stale.ts';
import { watchStops } from '../marketplace/watch-stops.ts';
import { dueRetries } from './due-retries.ts';
import { endsRound } from './ends-round.ts';
import { placeJobs } from './place-jobs.ts';
import { waitingOrgs, waitingTurns, type WaitingTurns } from '../queue/waiting-turns.ts';

const WATCH_MS = 1_000;
/** So many jobs share a transaction: more hold their organisation's turn for longer. */
const MOST_IN_TURN = 256;

/** A look at an organisation's queue: the turns that are left, and how many jobs found room in those that are over. */
interface BegunLook extends WaitingTurns {
  readonly placed: number;
}

/** Places waiting jobs while this replica holds the term: when a change wakes it, and now and then. */
export class Placer {
  readonly #context: ControlPlaneContext;
  #subscription: Subscription | undefined;
  #cancelWatch: (() => void) | undefined;
  #running: Promise<void> | undefined;
  /** Jobs that were named go first, so that a new one does not wait for a look at all that fit nowhere. */
  readonly #named = new Map<JobId, OrgId>();
  /** Organisations of which all that wait are looked at, since room came back. */
  readonly #roomy = new Set<OrgId>();
  /** Looks at organisations' queues of which turns are left: organisations take turns, so that none waits until the queue of another is done. */
  readonly #begun = new Map<OrgId, BegunLook>();
  #all = false;
  #seenLeases: SeenLeases = new Map();
  #seenEnds: SeenEnds = new Map();
  #seenStops: SeenLeases = new Map();
  #closed = false;

  constructor(context: ControlPlaneContext) {
    this.#context = context;
  }

  /** Begins; the term decides whether anything happens. */
  async start(): Promise<void> {
    this.#subscription = this.#context.changes.listen('place', (payload) => this.#wake(payload));
    await this.#context.term.start(() => this.#wake(undefined));
    this.#watch();
  }

  /** Ends after the placement that runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#subscription?.close();
    this.#cancelWatch?.();
    await this.#running;
    await this.#context.term.close();
  }

  #wake(payload: string | undefined): void {
    const [org = '', job = ''] = payload?.split(' ') ?? [];
    if (isId('org', org) && isId('job', job)) this.#named.set(job, org);
    else if (isId('org', org)) this.#roomy.add(org);
    else this.#all = true;
    if (this.#context.term.current === undefined) return this.#forget();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Whoever holds the term was woken too, and a new holder looks at all. */
  #forget(): void {
    this.#named.clear();
    this.#roomy.clear();
    this.#begun.clear();
    this.#all = false;
  }

  async #run(): Promise<void> {
    while (this.#hasWork() && this.#mayPlace()) {
      try {
        await this.#placeNamed();
        await this.#placeWaiting();
      } catch (error) {
        this.#context.log.warn('placer.failed', errorFields(error));
      }
    }
  }

  #hasWork(): boolean {
    return this.#named.size > 0 || this.#roomy.size > 0 || this.#begun.size > 0 || this.#all;
  }

  #mayPlace(): boolean {
    return !this.#closed && this.#context.term.current !== undefined;
  }

  /** One turn of each organisation: whoever goes on naming jobs does not keep others from theirs. */
  async #placeNamed(): Promise<void> {
    for (const org of new Set(this.#named.values())) {
      if (!this.#mayPlace()) return;
      const jobs = [...this.#named].flatMap(([job, of]) => (of === org ? [job] : [])).slice(0, MOST_IN_TURN);
      for (const job of jobs) this.#named.delete(job);
      await this.#place(org, jobs);
    }
  }

  /** How many were placed. Where one of a turn cannot be dealt with, each has a transaction of its own, and that one alone goes without. */
  async #place(org: OrgId, jobs: readonly JobId[]): Promise<number> {
    const together = await this.#tryTurn(org, { ids: jobs });
    if (together !== undefined) return together;
    let placed = 0;
    for (const job of jobs)
      if (this.#mayPlace()) placed += (await this.#tryTurn(org, { ids: [job], alone: true })) ?? 0;
    return placed;
  }

  /** Undefined when it failed. */
  async #tryTurn(org: OrgId, turn: Parameters<typeof placeJobs>[2]): Promise<number | undefined> {
    try {
      return await placeJobs(this.#context, org, turn);
    } catch (error) {
      if (endsRound(error)) throw error;
      const failed = { org, ...(turn.alone === true ? { job: turn.ids[0] } : {}), ...errorFields(error) };
      this.#context.log.warn('placer.turn_failed', failed);
      return undefined;
    }
  }

  /** One turn of each organisation that waits: those whose room came back by themselves first, then all where all are looked at. */
  async #placeWaiting(): Promise<void> {
    const all = this.#all;
    this.#all = false;
    const roomy = [...this.#roomy];
    const waiting = all ? await waitingOrgs(this.#context.store) : [];
    for (const org of waiting) this.#roomy.add(org);
    for (const org of new Set([...roomy, ...this.#begun.keys(), ...waiting])) {
      if (!this.#mayPlace()) return;
      await this.#placeNamed();
      await this.#placeNext(org);
    }
  }

  /** The next turn of an organisation: of the look that was begun, or of a new one. */
  async #placeNext(org: OrgId): Promise<void> {
    const look = this.#begun.get(org) ?? (await this.#look(org));
    this.#begun.delete(org);
    const [jobs, ...turns] = look.turns;
    if (jobs === undefined) return;
    const placed = look.placed + (await this.#place(org, jobs));
    if (turns.length > 0) this.#begun.set(org, { ...look, turns, placed });
    // Those that were placed made way for others of their kind.
    else if (placed > 0 && look.more) this.#roomy.add(org);
  }

  async #look(org: OrgId): Promise<BegunLook> {
    this.#roomy.delete(org);
    const now = this.#context.clock.now();
    return { ...(await waitingTurns(this.#context.store, { org, now, mostInTurn: MOST_IN_TURN })), placed: 0 };
  }

  #watch(): void {
    this.#cancelWatch = this.#context.clock.after(WATCH_MS, () => {
      void this.#sweep().finally(() => {
        if (!this.#closed) this.#watch();
      });
    });
  }

  async #sweep(): Promise<void> {
    if (this.#context.term.current === undefined) return;
    const steps = [
      async () => {
        this.#seenLeases = await expireLeases(this.#context, this.#seenLeases);
      },
      () => expireJobs(this.#context),
      async () => {
        for (const { org, job } of await dueRetries(this.#context)) this.#wake(`${org} ${job}`);
      },
      () => forgetNonces(this.#context),
      () => forgetCeremonies(this.#context),
      () => forgetTokens(this.#context),
      () => forgetStale(this.#context),
      async () => {
        this.#seenEnds = await strikeEndedPapers(this.#context, this.#seenEnds);
      },
      () => endAvoidances(this.#context),
      async () => {
        this.#seenStops = await watchStops(this.#context, this.#seenStops);
      },
    ];
    for (const step of steps)
      try {
        await step();
      } catch (error) {
        this.#context.log.warn('placer.sweep_failed', errorFields(error));
      }
  }
}
