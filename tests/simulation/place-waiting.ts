import { epochMs, type EpochMs } from '@ringfence/base';
import { gateRequest, type BurstState, type GatedRequest } from '@ringfence/policy/burst';
import type { ChosenOffer, PlacementRequest } from '@ringfence/policy/placement';
import { inQueueOrder, placeGang } from '@ringfence/policy/queue';
import { placeInQueue, type JobRow, type WaitingWhy } from './books.ts';
import type { Shape } from './shapes.ts';
import { CONTROL_PLANE, type Plane } from './world.ts';

const NOTHING = { refused: [], failed: [], soleFailures: [], relaxations: [] };
/** What broken control planes do not place, and what one of them says of it. */
const FORGOTTEN = 'internal';
const NO_REASON: WaitingWhy = { inventoryEpoch: 0, considered: 0, explanation: NOTHING, refusals: [], reasons: [] };

/** A job, the offer that it gets, and what had been spent and reserved before. */
interface Found {
  readonly row: JobRow;
  readonly chosen: ChosenOffer;
  readonly now: EpochMs;
  readonly before: BurstState;
}

/** Looks at every waiting job in the queue's order; what home or market cannot take goes on waiting and knows why. */
export function placeWaiting(plane: Plane): void {
  const { books, timeline, breakage, watch } = plane.world;
  watch.turn({ replica: plane.name, term: plane.term });
  const due = [...books.jobs.values()].filter(
    ({ facts, notBefore }) => facts.state === 'queued' && (notBefore === undefined || notBefore <= timeline.now),
  );
  due.sort((a, b) => inQueueOrder(placeInQueue(a), placeInQueue(b), epochMs(timeline.now)));
  // In one look nothing becomes free, so what fits nowhere for one job fits nowhere for the next of its shape.
  const nowhere = new Map<Shape, WaitingWhy>();
  const formed = new Set<number>();
  for (const row of due) {
    if (row.shape.name === FORGOTTEN && breakage === 'forget-a-job') continue;
    if (row.shape.name === FORGOTTEN && breakage === 'starve-a-job') nowhere.set(row.shape, NO_REASON);
    // With the first of its gang.
    if (row.facts.state !== 'queued') continue;
    row.notBefore = undefined;
    if (row.gang !== undefined && isForming(row) && breakage !== 'split-a-gang') {
      if (!formed.has(row.gang.id)) placeTogether(plane, row.gang);
      formed.add(row.gang.id);
    } else {
      row.waiting = nowhere.get(row.shape) ?? placeJob(plane, row);
      if (row.waiting !== undefined) nowhere.set(row.shape, row.waiting);
    }
    if (!plane.alive) return;
  }
}

/** It never ran, and starts with the others. */
function isForming({ facts }: JobRow): boolean {
  return facts.attempts === 0;
}

/** Why it waits; undefined when it was placed. */
function placeJob(plane: Plane, row: JobRow): WaitingWhy | undefined {
  const found = find(plane, row);
  if (!('chosen' in found)) return found;
  if (reserve(plane, found)) lease(plane, found);
  return undefined;
}

/** All members of a gang that anybody has ordered, or none. */
function placeTogether(plane: Plane, { id, size }: NonNullable<JobRow['gang']>): void {
  const { world, inventory } = plane;
  const { books, watch } = world;
  const members = [...books.jobs.values()].filter((row) => row.gang?.id === id && row.facts.state === 'queued');
  for (const row of members) row.waiting = NO_REASON;
  if (members.length < size) return;
  const placed = placeGang<JobRow, Found>(members, {
    place(row) {
      const found = plane.alive ? find(plane, row) : NO_REASON;
      if ('chosen' in found) return reserve(plane, found) ? found : undefined;
      row.waiting = found;
      return undefined;
    },
    undo({ chosen, before }) {
      if (!inventory.release(chosen.offer, chosen.take)) watch.fail('what a gang gave back did not fit');
      books.burst = before;
    },
  });
  watch.count(placed === undefined ? 'gangs not placed' : 'gangs placed');
  for (const [row, found] of placed ?? []) {
    row.waiting = undefined;
    lease(plane, found);
  }
}

/** Where it goes, or why nowhere; nothing is taken. */
function find(plane: Plane, row: JobRow): Found | WaitingWhy {
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
  if (decision.allow) return { row, chosen: decision.chosen, now, before: world.books.burst };
  const reasons = decision.reasons.map(({ code }) => code);
  const told = world.breakage === 'false-explanation' ? { ...explanation, refused: [] } : explanation;
  const why = { inventoryEpoch, considered, explanation: told, refusals: gated.refusals, reasons };
  world.watch.waits(why, gated.request);
  return why;
}

/** Takes room and money; false when the process dies over it. */
function reserve(plane: Plane, { row, chosen, now }: Found): boolean {
  const { world, inventory } = plane;
  const { watch, breakage } = world;
  if (breakage !== 'ignore-capacity' && !inventory.reserve(chosen.offer, chosen.take))
    watch.fail('what the placer chose was not there');
  if (plane.diesPlacing) {
    plane.alive = false;
    world.replicas.changed();
    return false;
  }
  const movable = row.shape.placement.retryOn?.includes('interruption') ?? false;
  const attempt = row.facts.attempts + 1;
  if (chosen.tier !== 'private' && !reserveSpend(plane, row, { chosen, attempt, now, movable }))
    return watch.fail('the gate let a job through that the budget refused');
  return true;
}

/** Writes down the attempt, and sends its agent the lease. */
function lease(plane: Plane, { row, chosen, now }: Found): void {
  const { world } = plane;
  const attempt = row.facts.attempts + 1;
  const away = chosen.tier !== 'private';
  const coveredMs = row.shape.placement.maxDurationMs + world.terms.overheadMs;
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
  world.books.attempts.get(row.id)?.push(attemptRow);
  plane.changed(chosen.offer);
  row.facts = { ...row.facts, attempts: attempt, attemptLives: true, stopSent: false };
  row.retryReason = undefined;
  plane.change(row, { kind: 'placed' });
  world.watch.placed(attemptRow, row, { chosen, coveredMs, now });
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
