import type { EpochMs } from '@ringfence/base';
import { gateRequest, type GatedRequest } from '@ringfence/policy/burst';
import type { ChosenOffer, PlacementRequest } from '@ringfence/policy/placement';
import type { JobRow, WaitingWhy } from './books.ts';
import type { Shape } from './shapes.ts';
import { CONTROL_PLANE, type Plane } from './world.ts';

const NOTHING = { refused: [], failed: [], soleFailures: [], relaxations: [] };
/** What broken control planes do not place, and what one of them says of it. */
const FORGOTTEN = 'internal';
const NO_REASON: WaitingWhy = { inventoryEpoch: 0, considered: 0, explanation: NOTHING, refusals: [], reasons: [] };

/** Looks at every waiting job in the placer's order: priority, then age; what home or market cannot take goes on waiting and knows why. */
export function placeWaiting(plane: Plane): void {
  const { books, timeline, breakage, watch } = plane.world;
  watch.turn({ replica: plane.name, term: plane.term });
  const due = [...books.jobs.values()].filter(
    ({ facts, notBefore }) => facts.state === 'queued' && (notBefore === undefined || notBefore <= timeline.now),
  );
  due.sort((a, b) => b.shape.placement.priority - a.shape.placement.priority || a.submittedAt - b.submittedAt);
  // In one look nothing becomes free, so what fits nowhere for one job fits nowhere for the next of its shape.
  const nowhere = new Map<Shape, WaitingWhy>();
  for (const row of due) {
    if (row.shape.name === FORGOTTEN && breakage === 'forget-a-job') continue;
    if (row.shape.name === FORGOTTEN && breakage === 'starve-a-job') nowhere.set(row.shape, NO_REASON);
    row.notBefore = undefined;
    row.waiting = nowhere.get(row.shape) ?? placeJob(plane, row);
    if (!plane.alive) return;
    if (row.waiting !== undefined) nowhere.set(row.shape, row.waiting);
  }
}

/** Why it waits; undefined when it was placed. */
function placeJob(plane: Plane, row: JobRow): WaitingWhy | undefined {
  const { world, placer } = plane;
  const now = world.wall();
  const request = { placement: row.shape.placement, label: row.shape.label, now };
  const gated = broken(plane, gateRequest(world.books.burst, world.terms, request), request);
  if (gated.request === undefined) {
    const { epoch } = plane.inventory;
    return { ...NO_REASON, inventoryEpoch: epoch, refusals: gated.refusals };
  }
  const placement = placer.place(gated.request);
  world.watch.decided(placement, gated.request, world.breakage);
  const { decision, explanation, inventoryEpoch, considered } = placement;
  if (!decision.allow) {
    const reasons = decision.reasons.map(({ code }) => code);
    const told = world.breakage === 'false-explanation' ? { ...explanation, refused: [] } : explanation;
    const why = { inventoryEpoch, considered, explanation: told, refusals: gated.refusals, reasons };
    world.watch.waits(why, gated.request);
    return why;
  }
  take(plane, row, decision.chosen, now);
  return undefined;
}

function take(plane: Plane, row: JobRow, chosen: ChosenOffer, now: EpochMs): void {
  const { world, inventory } = plane;
  const { books, watch, breakage } = world;
  const attempt = row.facts.attempts + 1;
  const away = chosen.tier !== 'private';
  if (breakage !== 'ignore-capacity' && !inventory.reserve(chosen.offer, chosen.take))
    watch.fail('what the placer chose was not there');
  if (plane.diesPlacing) {
    plane.alive = false;
    world.replicas.changed();
    return;
  }
  const movable = row.shape.placement.retryOn?.includes('interruption') ?? false;
  if (away && !reserveSpend(plane, row, { chosen, attempt, now, movable }))
    return watch.fail('the gate let a job through that the budget refused');
  const { maxDurationMs } = row.shape.placement;
  const coveredMs = maxDurationMs + world.terms.overheadMs;
  const attemptRow = {
    job: row.id,
    attempt,
    agent: chosen.agent,
    offer: chosen.offer,
    take: chosen.take,
    away,
    coveredUntil: away ? ((now + coveredMs) as EpochMs) : undefined,
    live: true,
    over: false,
    state: 'leased' as const,
    stopSent: false,
    renewals: 0,
    runningAt: undefined,
  };
  books.attempts.get(row.id)?.push(attemptRow);
  plane.changed(chosen.offer);
  row.facts = { ...row.facts, attempts: attempt, attemptLives: true, stopSent: false };
  row.retryReason = undefined;
  plane.change(row, { kind: 'placed' });
  watch.placed(attemptRow, row, { chosen, coveredMs, now });
  sendLease(plane, row, attempt);
}

function reserveSpend(
  { desk, world }: Plane,
  { id, shape }: JobRow,
  of: { chosen: ChosenOffer; attempt: number; now: EpochMs; movable: boolean },
): boolean {
  const { chosen, attempt, now, movable } = of;
  const cheap = world.breakage === 'ignore-budget' && chosen.price !== undefined;
  const price = cheap ? { microUnits: 1, currency: 'EUR' } : chosen.price;
  const { maxDurationMs } = shape.placement;
  return desk.take({ type: 'placed', now, job: id, attempt, offer: chosen.offer, price, maxDurationMs, movable });
}

function sendLease(plane: Plane, { id }: JobRow, attempt: number): void {
  const { world } = plane;
  const row = plane.rowOf(id, attempt);
  if (row === undefined) return;
  const echo = world.books.beats.get(row.agent);
  world.network.sure(CONTROL_PLANE, row.agent, () => world.agents.get(row.agent)?.leased({ job: id, attempt, echo }));
}

/** What a broken control plane asks its placer instead. */
function broken({ world }: Plane, gated: GatedRequest, request: PlacementRequest): GatedRequest {
  const { placement, label } = request;
  if (world.breakage === 'ignore-constraints') {
    const loose = { ...placement, residency: [], isolation: 'sandbox' as const, spot: 'auto' as const };
    return { ...gated, request: { ...request, placement: { ...loose, egress: 'none' } } };
  }
  if (world.breakage !== 'restricted-away' || label.sensitivity !== 'restricted') return gated;
  const away = { ...placement, tiers: ['secure-cloud' as const], burst: 'allowed' as const };
  return { refusals: [], request: { ...request, placement: away, label: { ...label, sensitivity: 'public' } } };
}
