import type { EpochMs } from '@ringfence/base';
import { TIERS } from '@ringfence/protocol';
import {
  CONSTRAINTS,
  type Constraint,
  type PlacementPart,
  type ReceiptStatement,
} from '@ringfence/protocol/statements';
import type { Decision } from './decision.ts';
import { needsAt } from './needs.ts';
import { failedConstraints, isolationUsed, type Demand } from './offer-check.ts';
import type { OfferRow } from './offer.ts';
import { loosenings, type Loosening, type PlacementLabel } from './placement-limits.ts';
import { residencyOf } from './residency.ts';

/** How many offers failed a constraint. */
export interface RefusedCount {
  readonly constraint: Constraint;
  readonly count: number;
}

/** Why a job was placed nowhere. */
export type PlaceReason =
  | { readonly code: 'looser-than-label'; readonly field: Loosening['field'] }
  | { readonly code: 'no-offers' }
  | { readonly code: 'no-offer-fits' };

/** One placement with what decided it; the receipt carries `considered`, `refused` and `chosen`. */
export interface PlaceResult {
  readonly decision: Decision<PlaceReason, { readonly chosen: ReceiptStatement['chosen'] }>;
  /** The offer chosen, for the reservation. */
  readonly chosen?: OfferRow;
  readonly considered: number;
  /** Offers that could take the job. */
  readonly feasible: number;
  /** By the first constraint that each refused offer failed; with `feasible` they sum to `considered`. */
  readonly refused: readonly RefusedCount[];
  /** By the only constraint that an offer failed: what giving up just that one would bring. */
  readonly soleFailures: readonly RefusedCount[];
}

/** What to place, and where it could go. */
export interface PlaceRequest {
  readonly placement: PlacementPart;
  readonly label: PlacementLabel;
  readonly offers: readonly OfferRow[];
  readonly now: EpochMs;
}

/**
 * Chooses an offer that satisfies every constraint of the placement and of its label: the organisation's own sites first, then
 * the smallest offer id, so that the order of rows decides nothing. Linear in the offers; reserves nothing.
 */
export function place(request: PlaceRequest): PlaceResult {
  const loose = loosenings(request.placement, request.label);
  if (loose.length > 0) return refusedOutright(loose);
  const demand = demandOf(request);
  const first = new Map<Constraint, number>();
  const sole = new Map<Constraint, number>();
  let feasible = 0;
  let chosen: OfferRow | undefined;
  for (const offer of request.offers) {
    const [reason, another] = failedConstraints(offer, demand);
    if (reason === undefined) {
      feasible += 1;
      if (chosen === undefined || comesBefore(offer, chosen)) chosen = offer;
      continue;
    }
    first.set(reason, (first.get(reason) ?? 0) + 1);
    if (another === undefined) sole.set(reason, (sole.get(reason) ?? 0) + 1);
  }
  return {
    decision: decisionOn(chosen, demand, request.offers.length),
    ...(chosen === undefined ? {} : { chosen }),
    considered: request.offers.length,
    feasible,
    refused: counts(first),
    soleFailures: counts(sole),
  };
}

function demandOf({ placement, label, now }: PlaceRequest): Demand {
  const needs = TIERS.flatMap((tier) => {
    const need = needsAt(placement, label, tier);
    return need === undefined ? [] : [[tier, need] as const];
  });
  return {
    placement,
    residency: residencyOf(placement.residency),
    needs: Object.fromEntries(needs),
    now,
  };
}

function decisionOn(offer: OfferRow | undefined, demand: Demand, considered: number): PlaceResult['decision'] {
  const isolation = offer === undefined ? undefined : isolationUsed(offer, demand.needs[offer.tier]);
  if (offer === undefined || isolation === undefined) {
    return { allow: false, reasons: [{ code: considered === 0 ? 'no-offers' : 'no-offer-fits' }] };
  }
  return { allow: true, chosen: { offer: offer.offer, agent: offer.agent, tier: offer.tier, isolation } };
}

function refusedOutright(loose: readonly Loosening[]): PlaceResult {
  const reasons = loose.map(({ field }) => ({ code: 'looser-than-label' as const, field }));
  return { decision: { allow: false, reasons }, considered: 0, feasible: 0, refused: [], soleFailures: [] };
}

function comesBefore(a: OfferRow, b: OfferRow): boolean {
  const [tierA, tierB] = [TIERS.indexOf(a.tier), TIERS.indexOf(b.tier)];
  return tierA === tierB ? a.offer < b.offer : tierA < tierB;
}

function counts(byConstraint: ReadonlyMap<Constraint, number>): RefusedCount[] {
  return CONSTRAINTS.flatMap((constraint) => {
    const count = byConstraint.get(constraint);
    return count === undefined ? [] : [{ constraint, count }];
  });
}
