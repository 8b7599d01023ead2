import type { JobId } from '@ringfence/base';
import type { ServiceSpec } from '@ringfence/protocol/payload';

/** How long the wish must have been lower before there are fewer replicas. */
export const DOWN_AFTER_MS = 60_000;
/** How long nobody must have called before there are none. */
export const ZERO_AFTER_MS = 300_000;

/** What all gateways together see of one endpoint now. */
export interface Load {
  readonly inFlight: number;
  readonly held: number;
  readonly requestsPerSecond: number;
}

/** No calls at all. */
export const NO_LOAD: Load = { inFlight: 0, held: 0, requestsPerSecond: 0 };

/** What a decision remembers for the next one of the same endpoint. */
export interface ScaleMemory {
  /** Since when the wish has been lower than what is wanted; null when it is not. */
  readonly lowerSince: number | null;
  /** The highest wish since then. */
  readonly highest: number;
  /** When somebody called last. */
  readonly busyAt: number;
}

/** What the first decision remembers: an endpoint counts as called when it is made. */
export function firstMemory(now: number): ScaleMemory {
  return { lowerSince: null, highest: 0, busyAt: now };
}

/** What a decision is made of; `wanted` is what is wanted now, `slots` what there is to choose from. */
export interface ScaleQuestion {
  readonly service: Pick<ServiceSpec, 'replicas' | 'scaling'>;
  /** What a person asked for; null: the load decides. */
  readonly manual: number | null;
  readonly load: Load;
  readonly wanted: number;
  readonly slots: number;
}

/**
 * How many replicas there should be: up at once, down to the highest wish of the last minute, to none after five minutes without a call.
 * Always within the bounds of the service and the number of slots.
 */
export function decideScale(
  { service, manual, load, wanted, slots }: ScaleQuestion,
  memory: ScaleMemory,
  now: number,
): { readonly wanted: number; readonly memory: ScaleMemory } {
  const busy = load.inFlight > 0 || load.held > 0 || load.requestsPerSecond > 0;
  const busyAt = busy ? now : memory.busyAt;
  const calm: ScaleMemory = { lowerSince: null, highest: 0, busyAt };
  const min = Math.min(service.replicas.min, slots);
  const max = Math.min(service.replicas.max, slots);
  if (manual !== null) return { wanted: Math.min(manual, slots), memory: calm };
  const bounded = (count: number): number => Math.min(max, Math.max(min, count));
  const wish = bounded(replicasFor(load, service.scaling));
  if (wish >= wanted) return { wanted: wish, memory: calm };
  const since = memory.lowerSince ?? now;
  const highest = Math.max(memory.lowerSince === null ? 0 : memory.highest, wish);
  const waiting = { wanted: bounded(wanted), memory: { lowerSince: since, highest, busyAt } };
  if (now - since < DOWN_AFTER_MS) return waiting;
  // Who has been quiet for a minute keeps one replica until nobody has called for five.
  const floor = now - busyAt < ZERO_AFTER_MS ? Math.min(1, max) : 0;
  const next = bounded(Math.max(highest, floor));
  if (next >= wanted) return { wanted: bounded(wanted), memory: { lowerSince: since, highest: wish, busyAt } };
  return { wanted: next, memory: calm };
}

/** Without `scaling` the number is fixed, so that its bounds decide; otherwise one replica for each `target` of the load. */
function replicasFor(load: Load, scaling: ServiceSpec['scaling']): number {
  if (scaling === undefined) return load.inFlight + load.held > 0 ? 1 : 0;
  const measured = scaling.metric === 'concurrency' ? load.inFlight + load.held : load.requestsPerSecond;
  // Somebody waits, whatever is measured.
  return Math.max(Math.ceil(measured / scaling.target), load.held > 0 ? 1 : 0);
}

/** What a choice among slots knows of each. */
export interface SlotHealth {
  readonly job: JobId;
  readonly slot: number;
  readonly wanted: boolean;
  readonly ready: boolean;
  /** Its agent was heard of lately, or has nothing to say yet. */
  readonly reachable: boolean;
}

/**
 * Which slots should run, `count` of them: what runs stays, ready before coming, low numbers first; slots whose agent is silent only when
 * no others are left, since nobody knows whether they run.
 */
export function chooseSlots(slots: readonly SlotHealth[], count: number): ReadonlySet<JobId> {
  const rank = ({ reachable, ready, wanted }: SlotHealth): number =>
    (reachable ? 0 : 4) + (wanted ? 0 : 2) + (ready && wanted ? 0 : 1);
  const order = slots.toSorted((a, b) => rank(a) - rank(b) || a.slot - b.slot);
  return new Set(order.slice(0, count).map(({ job }) => job));
}
