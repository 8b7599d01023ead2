import type { EpochMs, JobId, OrgId } from '@ringfence/base';
import {
  awayTiers,
  gateRequest,
  stepBurst,
  type AwayRefusal,
  type BurstState,
  type Reservation,
} from '@ringfence/policy/burst';
import type { ChosenOffer, Placement, PlacementRequest } from '@ringfence/policy/placement';
import type { ReceiptStatement } from '@ringfence/protocol/statements';
import { jobShape } from '../queue/job-shape.ts';
import type { Tx } from '../store/open-store.ts';
import { openPool, savePool, type OpenPool, type PlacedAttempt } from './open-pool.ts';

/** A job that is being placed: how many attempts it has had, and how many it may have. */
interface PlacingJob {
  readonly job: JobId;
  readonly attempts: number;
  readonly max_attempts: number;
}

/** Decides where a request goes. */
type Place = (request: PlacementRequest) => Placement;

/** What the gate needs of a pool. */
type GatedPool = Pick<OpenPool, 'org' | 'state' | 'terms'>;

/** What was placed where, until it is known that the turn takes it. */
interface Noted {
  readonly job: PlacingJob;
  readonly request: PlacementRequest;
  readonly chosen: ChosenOffer;
}

/**
 * Keeps one organisation's placements of one transaction within its pool: each request is narrowed to what gate and budget allow after those before
 * it, and what lands away from home is reserved at once. Without a pool it lets everything pass.
 */
export class PoolGate {
  readonly #pool: GatedPool | undefined;
  #state: BurstState | undefined;
  #placed: Noted[] = [];

  constructor(pool: GatedPool | undefined) {
    this.#pool = pool;
    this.#state = pool?.state;
  }

  /** The gate of `org` as its rows are now. */
  static async open(tx: Tx, org: OrgId): Promise<PoolGate> {
    return new PoolGate(await openPool(tx, org));
  }

  /** All is chosen anew: nothing of what was chosen before was taken. */
  restart(): void {
    this.#state = this.#pool?.state;
    this.#placed = [];
  }

  /** Call what is returned to forget what was placed since: nothing of it was taken. */
  mark(): () => void {
    const [state, placed] = [this.#state, [...this.#placed]];
    return () => {
      this.#state = state;
      this.#placed = placed;
    };
  }

  /** Decides where a job goes now, and reserves the worst case of what that costs away from home. */
  decide(job: PlacingJob, request: PlacementRequest, place: Place): Placement {
    if (this.#pool === undefined || this.#state === undefined) return place(request);
    const wide = place(gateRequest(this.#state, this.#pool.terms, request).request ?? nowhere(request));
    const placement = this.#holds(job, request, wide) ? wide : place(atHome(request));
    if (placement.decision.allow) this.#placed.push({ job, request, chosen: placement.decision.chosen });
    return placement;
  }

  /** What a placement holds of the budget; undefined at home, and without a pool. */
  reservationOf(placed: PlacingJob): Reservation | undefined {
    const { job, attempt } = nameOf(placed);
    return this.#state?.ledger.open.find((each) => each.job === job && each.attempt === attempt);
  }

  /** The same as a receipt names it. */
  budgetOf(reservation: Reservation | undefined): ReceiptStatement['budget'] {
    if (reservation === undefined || this.#pool === undefined) return undefined;
    const { period, microUnits } = reservation;
    return { period, reserved: microUnits, currency: this.#pool.terms.budget.currency };
  }

  /**
   * Writes down what was placed and reserved, in the transaction of the placements. `place` is asked what the market would take for what stays
   * at home: only now, since what the queue kept room for is what it was asked for a job last.
   */
  async save(tx: Tx, now: EpochMs, place: Place): Promise<void> {
    if (this.#pool === undefined || this.#state === undefined || this.#placed.length === 0) return;
    const market = new MarketHours(place, this.#pool);
    const placed = this.#placed.map((noted) => attemptOf(noted, market));
    await savePool(tx, this.#pool, { after: this.#state, now, placed });
  }

  /** False when the budget does not hold it, which the price limit of the narrowed request has asked before. */
  #holds(job: PlacingJob, request: PlacementRequest, { decision }: Placement): boolean {
    if (this.#pool === undefined || this.#state === undefined || !isAway(decision)) return true;
    const { offer, price } = decision.chosen;
    const { now, placement } = request;
    const { maxDurationMs } = placement;
    const movable = isMovable(job, request);
    const event = { type: 'placed', now, offer, price, maxDurationMs, movable, ...nameOf(job) } as const;
    const step = stepBurst(this.#state, event, this.#pool.terms);
    if (step.allow) this.#state = step.state;
    return step.allow;
  }
}

function attemptOf({ job, request, chosen }: Noted, market: MarketHours): PlacedAttempt {
  const away = chosen.tier !== 'private';
  return {
    ...nameOf(job),
    offer: chosen.offer,
    agent: chosen.agent,
    away,
    since: request.now,
    market_hour: away ? (chosen.price?.microUnits ?? null) : market.of(request),
    movable: isMovable(job, request),
  };
}

function isAway(decision: Placement['decision']): decision is Extract<Placement['decision'], { allow: true }> {
  return decision.allow && decision.chosen.tier !== 'private';
}

/** What the placer is asked for a request, and why no more, for those who ask and reserve nothing; as it was where there is no pool. */
export async function gateAsked(
  tx: Tx,
  org: OrgId,
  request: PlacementRequest,
): Promise<{ readonly request: PlacementRequest; readonly notAway?: readonly AwayRefusal[] }> {
  const pool = await openPool(tx, org);
  if (pool === undefined) return { request };
  const gated = gateRequest(pool.state, pool.terms, request);
  return { request: gated.request ?? nowhere(request), notAway: gated.refusals };
}

/** A request that may go nowhere away from home; without a home it names no tier. */
function atHome(request: PlacementRequest): PlacementRequest {
  const { placement } = request;
  if (!placement.tiers.includes('private')) return nowhere(request);
  return { ...request, placement: { ...placement, tiers: ['private'] } };
}

function nowhere(request: PlacementRequest): PlacementRequest {
  return { ...request, placement: { ...request.placement, tiers: [] } };
}

const nameOf = ({ job, attempts }: PlacingJob) => ({ job, attempt: attempts + 1 });

/** It may be stopped so that it goes on at home: its owner lets another attempt follow an interruption, and there is one left. */
function isMovable({ attempts, max_attempts }: PlacingJob, { placement }: PlacementRequest): boolean {
  return attempts + 1 < max_attempts && placement.retryOn?.includes('interruption') === true;
}

/** What the best offer away from home costs for jobs that stay: for the cost report alone, once for all that ask for the same. */
class MarketHours {
  readonly #place: Place;
  readonly #pool: GatedPool;
  readonly #known = new Map<string, number | null>();

  constructor(place: Place, pool: GatedPool) {
    this.#place = place;
    this.#pool = pool;
  }

  of({ placement, ...request }: PlacementRequest): number | null {
    const tiers = awayTiers(placement, request.label);
    if (tiers.length === 0) return null;
    const shape = jobShape(placement, request.label);
    const known = this.#known.get(shape);
    if (known !== undefined) return known;
    const { decision } = this.#place({ ...request, placement: { ...placement, tiers: [...tiers] } });
    const price = decision.allow ? decision.chosen.price : undefined;
    const hour = price?.currency === this.#pool.terms.budget.currency ? price.microUnits : null;
    this.#known.set(shape, hour);
    return hour;
  }
}
