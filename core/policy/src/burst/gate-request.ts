import type { PlacementRequest } from '../placement/requirement.ts';
import { priceLimitOf } from '../price-limit.ts';
import { affordableHour } from './budget-ledger.ts';
import type { BurstState } from './burst-state.ts';
import type { BurstTerms } from './burst-terms.ts';
import { awayTiers } from './may-burst.ts';

/** Why a job may not leave home now. */
export type AwayRefusal = 'may-not-leave' | 'keeps-on' | 'gate-closed' | 'most-at-once' | 'currency' | 'budget';

/** What the placer is asked, and why not more. */
export interface GatedRequest {
  /** The request, at most as wide as it was; undefined for a job without a home that may not go anywhere now. */
  readonly request: PlacementRequest | undefined;
  /** Why no machine away from home is considered; empty when some are. */
  readonly refusals: readonly AwayRefusal[];
}

/**
 * Narrows a request to what burst terms, gate and budget allow now: home alone, or also away from home up to the price that the rest of the budget pays.
 * The label is not touched, and everything hard stays as hard.
 */
export function gateRequest(state: BurstState, terms: BurstTerms, request: PlacementRequest): GatedRequest {
  const { placement, label, now } = request;
  const home = placement.tiers.includes('private');
  const away = awayTiers(placement, label);
  const coveredMs = placement.maxDurationMs + terms.overheadMs;
  const affordable = affordableHour(state.ledger, terms.budget, { now, coveredMs });
  const maxPrice = priceLimitOf(placement);
  const refusals: AwayRefusal[] = [];
  if (away.length === 0) refusals.push('may-not-leave');
  // No end of a lease bounds what it costs.
  if (placement.onPartition === 'keep') refusals.push('keeps-on');
  // Who has no home does not wait for it to be full.
  if (home && state.gate === 'closed') refusals.push('gate-closed');
  if (state.away.length >= terms.mostAtOnce) refusals.push('most-at-once');
  if (maxPrice !== undefined && maxPrice.currency !== terms.budget.currency) refusals.push('currency');
  if (affordable === undefined) refusals.push('budget');
  if (refusals.length > 0 || affordable === undefined) {
    const atHome = { ...request, placement: { ...placement, tiers: ['private' as const] } };
    return { request: home ? atHome : undefined, refusals };
  }
  const microUnits = Math.min(affordable, maxPrice?.microUnits ?? Infinity, MOST_PRICE);
  const limited = { ...placement, maxPrice: { microUnits, currency: terms.budget.currency } };
  return { request: { ...request, placement: limited }, refusals };
}

/** What a placement part may say at the most. */
const MOST_PRICE = 1_000_000_000_000;
