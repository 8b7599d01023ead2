import type { EpochMs, SiteId } from '@ringfence/base';
import { TIERS, type Tier } from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { needsAt, needsThere, type TierNeeds } from '../needs.ts';
import type { PlacementLabel } from '../placement-limits.ts';
import { priceLimitOf } from '../price-limit.ts';
import { residencyOf, type Residency } from '../residency.ts';

/** Evidence has to outlive the longest run by so much: the time that a drained job gets to end. */
export const EVIDENCE_GRACE_MS = 3_600_000;

/** How much a job cares; 0 is not at all. Whole or broken numbers up to 1,000. */
export interface Weights {
  /** A unit of the currency an hour. */
  readonly cost: number;
  /** An hour for what the reference machine does in one. */
  readonly speed: number;
  /** A job in every job lost to the provider. */
  readonly reliability: number;
  /** A unit of the currency, or an hour, spent on bringing the data. */
  readonly gravity: number;
}

/** What a job that does not say cares about. */
export const DEFAULT_WEIGHTS: Weights = { cost: 1, speed: 1, reliability: 1, gravity: 1 };

/** Data that the job reads, and where it lies now. */
export interface DataSource {
  readonly site: SiteId;
  readonly region: string;
  readonly bytes: number;
  /** What its owner pays for a gigabyte that leaves the region, in micro-units of the job's currency. */
  readonly egressMicroUnitsPerGb: number;
}

/** What a job may ask for beside its resources and its place; {@link signedWishes} are what its owner signed of it. */
export interface PlacementWishes {
  /** Countries whose law may not apply; a place of unknown law is denied with them. */
  readonly residencyDeny?: readonly string[];
  /** Data keys come from the customer's custodian alone. */
  readonly customerKey?: boolean;
  /** The upper ends of ranges whose lower ends are the placement's resources: it is given what is free up to these. */
  readonly most?: Partial<Record<'cpuMilli' | 'memoryBytes' | 'diskBytes' | 'gpuCount' | 'gpuMemoryBytes', number>>;
  /** A share of one card in thousandths (1 to 999), instead of whole ones; the placement's GPU count is 1 then. */
  readonly gpuMilli?: number;
  readonly weights?: Partial<Weights>;
  readonly data?: readonly DataSource[];
}

/** A job to be placed. */
export interface PlacementRequest {
  readonly placement: PlacementPart;
  readonly label: PlacementLabel;
  readonly wishes?: PlacementWishes;
  readonly now: EpochMs;
}

/** What a machine of one tier has to be. */
export interface TierDemand extends TierNeeds {
  /** The job may run on this tier; the rest says what it would need there otherwise. */
  readonly allowed: boolean;
  /** What is needed if no TEE is: the TEE itself is a constraint of its own. */
  readonly plain: TierNeeds;
}

/** A request worked out once for all offers. */
export interface Requirement {
  readonly placement: PlacementPart;
  readonly wishes: PlacementWishes;
  readonly residency: Residency;
  readonly denied: readonly string[];
  readonly tiers: Readonly<Record<Tier, TierDemand>>;
  readonly weights: Weights;
  /** In which costs are compared; offers in another cost more than any in this one. */
  readonly currency: string;
  readonly now: EpochMs;
  /** Until when evidence has to hold. */
  readonly until: number;
}

/** Works out what `request` demands; costs are compared in the currency of its price limit, else in `currency`. */
export function requirementOf(request: PlacementRequest, currency: string): Requirement {
  const { placement, label, wishes = {}, now } = request;
  const demands = TIERS.map((tier) => [tier, demandAt(placement, label, tier)] as const);
  return {
    placement,
    wishes,
    residency: residencyOf(placement.residency),
    denied: wishes.residencyDeny ?? [],
    tiers: Object.fromEntries(demands) as Record<Tier, TierDemand>,
    weights: { ...DEFAULT_WEIGHTS, ...wishes.weights },
    currency: priceLimitOf(placement)?.currency ?? currency,
    now,
    until: now + placement.maxDurationMs + EVIDENCE_GRACE_MS,
  };
}

function demandAt(placement: PlacementPart, label: PlacementLabel, tier: Tier): TierDemand {
  return {
    ...needsThere(placement, label, tier),
    allowed: needsAt(placement, label, tier) !== undefined,
    plain: needsThere({ ...placement, tees: [] }, { ...label, acceptProviderPlaintext: true }, tier),
  };
}
