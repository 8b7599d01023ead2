import { checkEvent } from './check-event.ts';
import { DpError } from './dp-error.ts';
import { rdpOfEvent } from './event-rdp.ts';
import { pldOf, type PldBounds } from './pld-bounds.ts';
import type { PrivacyEvent } from './privacy-event.ts';
import { composeRdp, RDP_ORDERS, type RenyiCurve } from './rdp.ts';
import { deltaOfRdp, epsilonOfRdp } from './rdp-conversion.ts';

/** One number by several accountants. */
export interface PrivacyBounds {
  /** By Rényi divergences: an upper bound. */
  readonly rdp: number;
  /** By privacy loss distributions: an upper bound, mostly tighter, and a lower one. Undefined where an event has no such distribution. */
  readonly pldUpper: number | undefined;
  readonly pldLower: number | undefined;
  /** The least of the upper bounds: what counts. */
  readonly least: number;
}

const NO_LOSS: RenyiCurve = RDP_ORDERS.map(() => 0);
/** Mass that may be cut off, in deltas. */
const CUT = 1e-7;
const [LEAST_TAIL, MOST_TAIL] = [1e-15, 1e-9];

/** Epsilon at `delta` of all events, one after the other, also when each is chosen after the results of those before. Throws {@link DpError} `bad-event`, `bad-target`. */
export function epsilonOf(events: readonly PrivacyEvent[], delta: number): PrivacyBounds {
  const left = leftOf(delta, events);
  const pld = lossesFor(events, left ?? delta);
  const below = pld?.epsilonBelow(delta);
  if (left === undefined) return boundsOf(Infinity, pld === undefined ? undefined : Infinity, below);
  return boundsOf(epsilonOfRdp(curveOf(events), left).epsilon, pld?.epsilonAbove(left), below);
}

/** The `least` of the same alone, for less work: no lower bound is looked for. */
export function leastEpsilon(events: readonly PrivacyEvent[], delta: number): number {
  const left = leftOf(delta, events);
  const pld = lossesFor(events, left ?? delta);
  if (left === undefined) return Infinity;
  const above = orElse(pld?.epsilonAbove(left), Infinity);
  return Math.min(above ?? Infinity, epsilonOfRdp(curveOf(events), left).epsilon);
}

function lossesFor(events: readonly PrivacyEvent[], delta: number): PldBounds | undefined {
  for (const event of events) checkEvent(event);
  if (!(delta > 0 && delta < 1)) throw new DpError('bad-target', 'delta lies between 0 and 1');
  return pldOf(events, Math.min(MOST_TAIL, Math.max(LEAST_TAIL, delta * CUT)));
}

/** Delta at `epsilon` ≥ 0 of the same. Of several runs none is told below some 1e−14. */
export function deltaOf(events: readonly PrivacyEvent[], epsilon: number): PrivacyBounds {
  for (const event of events) checkEvent(event);
  if (!(epsilon >= 0 && Number.isFinite(epsilon))) throw new DpError('bad-target', 'epsilon is a number of at least 0');
  const pld = pldOf(events);
  const slip = slipOf(events);
  const above = pld?.deltaAbove(epsilon);
  return boundsOf(
    Math.min(1, deltaOfRdp(curveOf(events), epsilon) + slip),
    above === undefined ? undefined : Math.min(1, above + slip),
    pld?.deltaBelow(epsilon),
  );
}

/** What is left of a delta once all that may slip has gone from it; undefined for nothing. */
function leftOf(delta: number, events: readonly PrivacyEvent[]): number | undefined {
  const left = delta - slipOf(events);
  return left > 0 || !(delta > 0) ? left : undefined;
}

/** Probability that any step moves further than its sensitivities: each counts as a failure (a union bound). */
function slipOf(events: readonly PrivacyEvent[]): number {
  return events.reduce((sum, event) => sum + (event.type === 'skellam' ? (event.slip ?? 0) * event.steps : 0), 0);
}

function curveOf(events: readonly PrivacyEvent[]): RenyiCurve {
  return events.reduce((curve, event) => composeRdp(curve, rdpOfEvent(event)), NO_LOSS);
}

function boundsOf(rdp: number, pldUpper: number | undefined, pldLower: number | undefined): PrivacyBounds {
  // Never NaN: who compares it with a budget would find it no more than that.
  const [upper, lower] = [orElse(pldUpper, Infinity), orElse(pldLower, 0)];
  return { rdp, pldUpper: upper, pldLower: lower, least: Math.min(rdp, upper ?? Infinity) };
}

function orElse(value: number | undefined, instead: number): number | undefined {
  return Number.isNaN(value) ? instead : value;
}
