import { errorFields, type AgentId, type Clock, type JobId } from '@ringfence/base';
import type { GatewayLoad } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { Load, ScaleMemory } from './autoscaler.ts';
import type { EndpointParts } from './endpoint-parts.ts';
import { loadEndpoints } from './endpoint-rows.ts';
import type { Endpoint, Revision } from './endpoint-state.ts';
import { GatewayWatch } from './gateway-watch.ts';
import { planEndpoint } from './rollout.ts';
import { storePlan, tellSlots, type Telling } from './store-plan.ts';

/** How often the load is looked at. */
const TICK_MS = 1_000;
/** For how long a gateway's report counts. */
const LOAD_FOR_MS = 10_000;
/** After how long without a word the agent of a ready replica counts as out of reach: it repeats itself every 20 s. */
const SILENT_AFTER_MS = 70_000;

interface Parts {
  readonly context: EndpointParts;
  readonly claimed: ClaimedOrganisation;
}

/** The life of all endpoints: what gateways and agents say comes in, revisions and wishes for replicas go out. */
export class Endpoints {
  readonly watch: GatewayWatch;
  readonly #clock: Clock;
  readonly #loads = new Map<AgentId, { readonly at: number; readonly load: GatewayLoad }>();
  readonly #heard = new Map<JobId, number>();
  readonly #memories = new Map<string, ScaleMemory>();
  #since = 0;
  #parts: Parts | undefined;
  #known: { readonly seq: number; readonly endpoints: Promise<readonly Endpoint[]> } | undefined;
  #cancel = (): void => {};
  #ticking: Promise<void> | undefined;
  #again = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.watch = new GatewayWatch(clock);
  }

  /** Takes up the endpoints of the database; call once, when there is an organisation. */
  start(context: EndpointParts, claimed: ClaimedOrganisation): void {
    this.#parts = { context, claimed };
    this.#since = this.#clock.now();
    this.#wake();
  }

  /** Lets who waits go, and decides nothing any more. */
  async stop(): Promise<void> {
    this.#parts = undefined;
    this.#cancel();
    this.watch.close();
    await this.#ticking;
  }

  /** Something that endpoints depend on was committed. */
  changed(): void {
    this.watch.next();
    this.#wake();
  }

  /** An attempt was granted or ended, or a job was closed: of interest when it is a replica's. */
  async jobChanged(job: JobId): Promise<void> {
    if ((await this.known()).some(({ revisions }) => revisions.some((revision) => hasSlot(revision, job))))
      this.changed();
  }

  /** An agent said, again or anew, that its replica is ready. */
  heard(job: JobId): void {
    this.#heard.set(job, this.#clock.now());
  }

  /** What a gateway sees now. */
  take(gateway: AgentId, load: GatewayLoad): void {
    this.#loads.set(gateway, { at: this.#clock.now(), load });
    if (load.endpoints.some(({ held }) => held > 0)) this.#wake();
  }

  /** An agent is no gateway any more. */
  drop(gateway: AgentId): void {
    this.watch.drop(gateway);
    this.#loads.delete(gateway);
  }

  /** Where callers reach a gateway: by its newest report, however old. */
  listensAt(gateway: AgentId): string | null {
    return this.#loads.get(gateway)?.load.listens ?? null;
  }

  /** All endpoints as of the newest change; read once for each change. */
  async known(): Promise<readonly Endpoint[]> {
    const { seq } = this.watch;
    const parts = this.#parts;
    if (parts === undefined) return [];
    if (this.#known?.seq !== seq) {
      const { context, claimed } = parts;
      const endpoints = context.store.withOrg(claimed.org, (tx) => loadEndpoints(context, tx), { readOnly: true });
      this.#known = { seq, endpoints };
      // A read that failed is made again.
      endpoints.catch(() => (this.#known = undefined));
    }
    return this.#known.endpoints;
  }

  #wake(): void {
    this.#again = true;
    if (this.#parts === undefined || this.#ticking !== undefined) return;
    this.#ticking = this.#run().finally(() => {
      this.#ticking = undefined;
      // A word that came when the last look was over.
      if (this.#again) this.#wake();
    });
  }

  async #run(): Promise<void> {
    let busy = true;
    try {
      while (this.#again && this.#parts !== undefined) {
        this.#again = false;
        busy = await this.#tick(this.#parts);
      }
    } catch (error) {
      // The database is away, for one: the next second tries again.
      this.#parts?.context.log.error('endpoints.stuck', errorFields(error));
    }
    this.#cancel();
    if (busy && this.#parts !== undefined) this.#cancel = this.#clock.after(TICK_MS, () => this.#wake());
  }

  /** One look at everything; false when there is nothing to look after. */
  async #tick({ context, claimed }: Parts): Promise<boolean> {
    const endpoints = await this.known();
    this.#forgetOthers(endpoints);
    const now = this.#clock.now();
    const tellings: Telling[] = [];
    let changed = false;
    for (const endpoint of endpoints) {
      const plan = planEndpoint(
        endpoint,
        { now, since: this.#since, load: this.#loadOf(endpoint, now), heard: (job) => this.#isHeard(job, now) },
        this.#memories.get(endpoint.endpoint),
      );
      this.#memories.set(endpoint.endpoint, plan.memory);
      if (plan.turns.length > 0 || plan.wishes.length > 0) {
        await storePlan(context, claimed, endpoint, plan);
        changed = true;
      } else tellings.push(...this.#tellingsOf(endpoint));
    }
    if (changed) {
      this.watch.next();
      this.#again = true;
    }
    if (tellings.length > 0) {
      await tellSlots(context, claimed, tellings);
      for (const { job } of tellings) this.watch.forget(job);
      this.watch.next();
      this.#again = true;
    }
    return endpoints.length > 0;
  }

  /** Nothing is remembered of endpoints and replicas that are over. */
  #forgetOthers(endpoints: readonly Endpoint[]): void {
    const alive = new Set<string>(endpoints.map(({ endpoint }) => endpoint));
    for (const endpoint of this.#memories.keys()) if (!alive.has(endpoint)) this.#memories.delete(endpoint);
    const isSlot = (job: JobId): boolean =>
      endpoints.some(({ revisions }) => revisions.some((revision) => hasSlot(revision, job)));
    for (const job of this.#heard.keys()) if (!isSlot(job)) this.#heard.delete(job);
  }

  /** What the control plane has to hear now: wishes at once, ends only when gateways send nothing to the replica any more. */
  #tellingsOf({ revisions }: Endpoint): Telling[] {
    return revisions.flatMap(({ state, slots }) =>
      slots.flatMap((slot): Telling[] => {
        const { job, wanted, told, running, closed } = slot;
        const over = state === 'going' || state === 'gone';
        const say = over ? 'final' : wanted ? 'wanted' : 'parked';
        if (say === told || (closed && say !== 'final') || (say === 'parked' && told === null)) return [];
        if (say !== 'wanted' && running && !this.watch.everybodyKnows(job)) return [];
        return [{ job, say }];
      }),
    );
  }

  #loadOf({ endpoint }: Endpoint, now: number): Load {
    const sum = { inFlight: 0, held: 0, requestsPerSecond: 0 };
    for (const { at, load } of this.#loads.values())
      for (const seen of now - at > LOAD_FOR_MS ? [] : load.endpoints)
        if (seen.endpoint === endpoint) {
          sum.inFlight += seen.inFlight;
          sum.held += seen.held;
          sum.requestsPerSecond += seen.requestsPerSecond;
        }
    return sum;
  }

  #isHeard(job: JobId, now: number): boolean {
    return now - (this.#heard.get(job) ?? this.#since) < SILENT_AFTER_MS;
  }
}

function hasSlot({ slots }: Revision, job: JobId): boolean {
  return slots.some((slot) => slot.job === job);
}
