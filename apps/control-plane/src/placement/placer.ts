import { errorFields, isId, type JobId, type OrgId } from '@ringfence/base';
import type { Subscription } from '@ringfence/store';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { expireJobs, expireLeases, forgetNonces } from '../jobs/lease-watch.ts';
import type { SeenLeases } from '../jobs/silent-leases.ts';
import { dueRetries } from './due-retries.ts';
import { endsRound } from './ends-round.ts';
import { placeJobs } from './place-jobs.ts';

const WATCH_MS = 1_000;
const MOST_AT_ONCE = 500;
/** So many jobs share a transaction: more hold their organisation's turn for longer. */
const MOST_IN_TURN = 256;

/** Places waiting jobs while this replica holds the term: when a change wakes it, and now and then. */
export class Placer {
  readonly #context: ControlPlaneContext;
  #subscription: Subscription | undefined;
  #cancelWatch: (() => void) | undefined;
  #running: Promise<void> | undefined;
  /** Jobs that were named go first, so that a new one does not wait for a look at all that fit nowhere. */
  readonly #named = new Map<JobId, OrgId>();
  #all = false;
  #seenLeases: SeenLeases = new Map();
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
    else this.#all = true;
    if (this.#context.term.current === undefined) return this.#forget();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Whoever holds the term was woken too, and a new holder looks at all. */
  #forget(): void {
    this.#named.clear();
    this.#all = false;
  }

  async #run(): Promise<void> {
    while ((this.#named.size > 0 || this.#all) && this.#mayPlace()) {
      try {
        await this.#placeNamed();
        if (!this.#all) continue;
        this.#all = false;
        await this.#placeAll();
      } catch (error) {
        this.#context.log.warn('placer.failed', errorFields(error));
      }
    }
  }

  #mayPlace(): boolean {
    return !this.#closed && this.#context.term.current !== undefined;
  }

  async #placeNamed(): Promise<void> {
    while (this.#named.size > 0 && this.#mayPlace()) {
      const [[, org] = []] = this.#named;
      if (org === undefined) return;
      const jobs = [...this.#named].flatMap(([job, of]) => (of === org ? [job] : [])).slice(0, MOST_IN_TURN);
      for (const job of jobs) this.#named.delete(job);
      await this.#place(org, jobs);
    }
  }

  /** Where one of them cannot be dealt with, each has a transaction of its own, and that one alone goes without. */
  async #place(org: OrgId, jobs: readonly JobId[]): Promise<void> {
    try {
      await placeJobs(this.#context, org, jobs);
    } catch (error) {
      if (endsRound(error)) throw error;
      const [first] = jobs;
      const failed = { org, ...(jobs.length === 1 ? { job: first } : {}), ...errorFields(error) };
      this.#context.log.warn('placer.turn_failed', failed);
      if (jobs.length > 1) for (const job of jobs) if (this.#mayPlace()) await this.#place(org, [job]);
    }
  }

  async #placeAll(): Promise<void> {
    const waiting = await this.#context.store.withSystem('waiting-jobs', (tx) =>
      tx
        .selectFrom('job')
        .select(['org', 'job'])
        .where('state', '=', 'queued')
        .where((has) => has.or([has('not_before', 'is', null), has('not_before', '<=', this.#context.clock.now())]))
        .orderBy('priority', 'desc')
        .orderBy('submitted_at')
        .limit(MOST_AT_ONCE)
        .execute(),
    );
    for (const [org, jobs] of turnsOf(waiting)) {
      if (!this.#mayPlace()) return;
      await this.#placeNamed();
      await this.#place(org, jobs);
    }
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
    ];
    for (const step of steps)
      try {
        await step();
      } catch (error) {
        this.#context.log.warn('placer.sweep_failed', errorFields(error));
      }
  }
}

/** Jobs of each organisation in their order, as many as share a turn; organisations take turns. */
function turnsOf(waiting: readonly { readonly org: OrgId; readonly job: JobId }[]): [OrgId, JobId[]][] {
  const turns: [OrgId, JobId[]][] = [];
  const open = new Map<OrgId, JobId[]>();
  for (const { org, job } of waiting) {
    const jobs = open.get(org);
    if (jobs !== undefined && jobs.length < MOST_IN_TURN) jobs.push(job);
    else {
      const turn = [job];
      open.set(org, turn);
      turns.push([org, turn]);
    }
  }
  return turns;
}
