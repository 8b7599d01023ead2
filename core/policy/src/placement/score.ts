import { TIERS, type Tier } from '@ringfence/protocol';
import type { OfferId } from '@ringfence/base';
import { HOURS_PER_GB, LOSS, SLOWNESS, UNKNOWN_PRICE, cell } from './offer-row-layout.ts';
import type { DataSource, Weights } from './requirement.ts';

const MICRO = 1_000_000;
const BYTES_PER_GB = 1_000_000_000;

/** What one offer's score is made of, weighted; the less the better. */
export interface ScoreTerms {
  readonly cost: number;
  readonly speed: number;
  readonly reliability: number;
  readonly gravity: number;
}

/** What data has to do to get somewhere: gigabytes that move, and what leaving costs in units of the currency. */
export interface Haul {
  readonly gigabytes: number;
  readonly egressCost: number;
}

/** What scoring reads of a class. */
export interface ScoredAs {
  /** It is priced in the currency in which costs are compared, or free of charge. */
  readonly comparable: boolean;
}

/**
 * The score, the only expression of it, of the cells from `price` on (see {@link SCORED}) of a row, or of a node of bounds. Each of
 * them raises it or leaves it, also after rounding, so that the least of each below a node make a bound.
 */
export function scoreOf(weights: Weights, cells: Float64Array, price: number, haul: Haul & ScoredAs): number {
  return (
    weights.cost * ((haul.comparable ? cell(cells, price) : UNKNOWN_PRICE) / MICRO) +
    weights.speed * cell(cells, price + SLOWNESS) +
    weights.reliability * cell(cells, price + LOSS) +
    weights.gravity * (haul.egressCost + haul.gigabytes * cell(cells, price + HOURS_PER_GB))
  );
}

/** The terms that {@link scoreOf} adds up. */
export function termsOf(weights: Weights, cells: Float64Array, price: number, haul: Haul & ScoredAs): ScoreTerms {
  return {
    cost: weights.cost * ((haul.comparable ? cell(cells, price) : UNKNOWN_PRICE) / MICRO),
    speed: weights.speed * cell(cells, price + SLOWNESS),
    reliability: weights.reliability * cell(cells, price + LOSS),
    gravity: weights.gravity * (haul.egressCost + haul.gigabytes * cell(cells, price + HOURS_PER_GB)),
  };
}

/** What of `data` has to move to a place: nothing to its own site, freely within its region. */
export function haulTo(data: readonly DataSource[], region: string, atSite: (source: DataSource) => boolean): Haul {
  let gigabytes = 0;
  let egressCost = 0;
  for (const source of data) {
    if (atSite(source)) continue;
    gigabytes += source.bytes / BYTES_PER_GB;
    if (source.region !== region) egressCost += (source.bytes / BYTES_PER_GB) * (source.egressMicroUnitsPerGb / MICRO);
  }
  return { gigabytes, egressCost };
}

/** What decides between offers. */
export interface Ranked {
  readonly tier: Tier;
  readonly score: number;
  readonly offer: OfferId;
}

/** Own sites are used before anybody else's. */
export function homeFirst(tier: Tier): number {
  return tier === 'private' ? 0 : 1;
}

/** The order of offers, best first: own sites, score, tier in the order of the list, id. Only one offer equals another: itself. */
export function compareRanked(a: Ranked, b: Ranked): number {
  return (
    homeFirst(a.tier) - homeFirst(b.tier) ||
    a.score - b.score ||
    TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) ||
    (a.offer === b.offer ? 0 : a.offer < b.offer ? -1 : 1)
  );
}
