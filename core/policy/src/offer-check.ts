import type { Isolation } from '@ringfence/protocol';
import { CONSTRAINTS, type Constraint, type PlacementPart } from '@ringfence/protocol/statements';
import type { EpochMs } from '@ringfence/base';
import type { TierNeeds } from './needs.ts';
import type { OfferEvidence, OfferRow } from './offer.ts';
import { residencyCovers, type Residency } from './residency.ts';
import { gradeAtLeast, isolationAtLeast } from './strictness.ts';

const DAY_MS = 86_400_000;

/** What one job demands, worked out once for all offers. */
export interface Demand {
  readonly placement: PlacementPart;
  /** The placement's, which lies within the label's. */
  readonly residency: Residency;
  /** By tier; absent: the job may not run there. */
  readonly needs: Readonly<Partial<Record<OfferRow['tier'], TierNeeds>>>;
  readonly now: EpochMs;
}

type Check = (offer: OfferRow, demand: Demand) => boolean;

const CHECKS: Readonly<Record<Constraint, Check>> = {
  'agent-offline': (offer) => offer.online,
  'agent-locked': (offer) => !offer.locked,
  'agent-draining': (offer) => offer.draining !== true,
  'custodian-away': (offer) => offer.custodianAway !== true,
  tier: (offer, { needs }) => needs[offer.tier] !== undefined,
  residency: (offer, { residency }) => residencyCovers(residency, offer.jurisdictions),
  site: ({ site }, { placement }) => placement.sites?.includes(site) !== false,
  isolation: (offer, { needs }) => isolationUsed(offer, needs[offer.tier]) !== undefined,
  tee: (offer, { needs }) => {
    const tees = needs[offer.tier]?.tees;
    return tees === undefined || tees.some((tee) => offer.tees.includes(tee));
  },
  evidence: (offer, { needs, now }) => hasEvidence(offer.evidence, needs[offer.tier]?.evidence, now),
  egress: (offer, { placement, needs }) =>
    placement.egress === 'declared' ||
    needs[offer.tier]?.isolation === 'process' ||
    offer.isolations.some((isolation) => isolation !== 'process'),
  'hard-limits': (offer, { placement }) => offer.hardLimits || !placement.resources.hardLimits,
  cpu: (offer, { placement }) => offer.free.cpuMilli >= placement.resources.cpuMilli,
  memory: (offer, { placement }) => offer.free.memoryBytes >= placement.resources.memoryBytes,
  disk: (offer, { placement }) => offer.diskFull !== true && offer.free.diskBytes >= placement.resources.diskBytes,
  gpu: (offer, { placement }) => hasGpus(offer.free.gpus, placement.resources.gpus),
  price: (offer, { placement }) => affordable(offer, placement.maxPrice),
  spot: (offer, { placement: { spot } }) => spot === 'auto' || (spot === 'only') === (offer.spot === true),
};

/** Every constraint that `offer` fails, in the order of {@link CONSTRAINTS}; none when it can take the job. */
export function failedConstraints(offer: OfferRow, demand: Demand): Constraint[] {
  return CONSTRAINTS.filter((constraint) => !CHECKS[constraint](offer, demand));
}

/**
 * The isolation that a job gets there: the best level present that is enough. A TEE is used only where one is needed, since a
 * start in one asks for an appraisal, and what costs speed (containers and above) only where more than a sandbox is asked for.
 * Undefined when nothing present is enough.
 */
export function isolationUsed(
  offer: Pick<OfferRow, 'isolations'>,
  needs: TierNeeds | undefined,
): Isolation | undefined {
  let best: Isolation | undefined;
  const plain = offer.isolations.includes('sandbox') && isolationAtLeast('sandbox', needs?.isolation ?? 'process');
  if (plain) return 'sandbox';
  for (const isolation of offer.isolations) {
    if (!isolationAtLeast(isolation, needs?.isolation ?? 'process')) continue;
    if (isolation === 'tee' && needs?.isolation !== 'tee') continue;
    if (best === undefined || isolationAtLeast(isolation, best)) best = isolation;
  }
  return best;
}

function hasEvidence(claims: readonly OfferEvidence[], need: TierNeeds['evidence'], now: EpochMs): boolean {
  if (need === undefined) return true;
  const good = claims.filter(
    ({ grade, issuedAt, notAfter }) =>
      gradeAtLeast(grade, need.grade) &&
      issuedAt <= now &&
      now < notAfter &&
      now - issuedAt <= need.maxAgeDays * DAY_MS,
  );
  if (need.any && good.length === 0) return false;
  return need.require.every((standard) => good.some((claim) => claim.standard === standard));
}

function hasGpus(free: OfferRow['free']['gpus'], want: PlacementPart['resources']['gpus']): boolean {
  if (want === undefined) return true;
  return free.some(
    ({ model, memoryBytes, count }) =>
      (want.model === undefined || want.model === model) && memoryBytes >= want.memoryBytes && count >= want.count,
  );
}

/** A price that is unknown away from home, or in another currency, is not affordable (invariant 4). */
function affordable({ price, tier }: OfferRow, most: PlacementPart['maxPrice']): boolean {
  if (most === undefined) return true;
  if (price === undefined) return tier === 'private';
  return price.currency === most.currency && price.microUnits <= most.microUnits;
}
