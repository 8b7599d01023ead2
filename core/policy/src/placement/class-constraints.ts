import type { EvidenceGrade } from '../strictness.ts';
import type { TierNeeds } from '../needs.ts';
import type { OfferEvidence } from '../offer.ts';
import { residencyCovers, residencySpares } from '../residency.ts';
import { gradeAtLeast, isolationAtLeast } from '../strictness.ts';
import { LEANS_ON_TEE, bitOf, type FailureMask } from './placement-constraints.ts';
import type { PlacementOffer } from './placement-offer.ts';
import type { Requirement, TierDemand } from './requirement.ts';

const DAY_MS = 86_400_000;

type Check = (offer: PlacementOffer, requirement: Requirement, demand: TierDemand) => boolean;

/** Those constraints that all offers of a class pass or fail together. */
const CHECKS: readonly (readonly [FailureMask, Check])[] = [
  [bitOf('tier'), (_offer, _requirement, { allowed }) => allowed],
  [bitOf('residency'), ({ jurisdictions }, requirement) => lawful(jurisdictions, requirement)],
  [bitOf('isolation'), (offer, _requirement, demand) => isIsolated(offer, demand.plain) || leansOnTee(offer, demand)],
  [bitOf('tee'), (offer, _requirement, { tees }) => tees === undefined || hasTee(offer, tees)],
  [bitOf('evidence'), ({ evidence }, requirement, demand) => hasEvidence(evidence, demand.evidence, requirement)],
  [bitOf('egress'), ({ egress }, { placement }) => egress.includes(placement.egress)],
  [bitOf('customer-key'), ({ customerKeys }, { wishes }) => customerKeys || wishes.customerKey !== true],
  [bitOf('hard-limits'), ({ hardLimits }, { placement }) => hardLimits || !placement.resources.hardLimits],
  [bitOf('spot'), (offer, { placement: { spot } }) => spot === 'auto' || (spot === 'only') === offer.spot],
];

/** What `offer`, and with it each offer of its class, fails of the constraints that a class decides. */
export function classFailures(offer: PlacementOffer, requirement: Requirement): FailureMask {
  const demand = requirement.tiers[offer.tier];
  let mask = 0;
  for (const [bit, passes] of CHECKS) if (!passes(offer, requirement, demand)) mask |= bit;
  return !isIsolated(offer, demand.plain) && leansOnTee(offer, demand) ? mask | LEANS_ON_TEE : mask;
}

/** Claims that count for a run that starts now: begun, young enough, and good until after its longest end. */
export function countingClaims(
  claims: readonly OfferEvidence[],
  { grade, maxAgeDays }: { readonly grade: EvidenceGrade; readonly maxAgeDays: number },
  { now, until }: Pick<Requirement, 'now' | 'until'>,
): OfferEvidence[] {
  return claims.filter(
    (claim) =>
      gradeAtLeast(claim.grade, grade) &&
      claim.issuedAt <= now &&
      now - claim.issuedAt <= maxAgeDays * DAY_MS &&
      claim.notAfter >= until,
  );
}

/** The moments at which {@link countingClaims} may change its mind about `claim`; from each on, not before it. */
export function claimTurns(claim: OfferEvidence, maxAgeDays: number, spanMs: number): readonly number[] {
  return [claim.issuedAt, claim.issuedAt + maxAgeDays * DAY_MS + 1, claim.notAfter - spanMs + 1];
}

function lawful(jurisdictions: readonly string[], { residency, denied }: Requirement): boolean {
  return residencyCovers(residency, jurisdictions) && residencySpares(denied, jurisdictions);
}

/** A TEE is used only where one is needed: it does not count as a level for a job that needs less. */
function isIsolated(offer: PlacementOffer, { isolation, tees }: TierNeeds): boolean {
  const { isolations } = offer;
  if (isolation === 'tee') return tees === undefined ? isolations.includes('tee') : hasTee(offer, tees);
  return isolations.some((level) => level !== 'tee' && isolationAtLeast(level, isolation));
}

function leansOnTee(offer: PlacementOffer, { tees }: TierDemand): boolean {
  return tees !== undefined && hasTee(offer, tees);
}

function hasTee({ tees, isolations }: PlacementOffer, wanted: PlacementOffer['tees']): boolean {
  return isolations.includes('tee') && wanted.some((tee) => tees.includes(tee));
}

function hasEvidence(claims: readonly OfferEvidence[], need: TierNeeds['evidence'], requirement: Requirement): boolean {
  if (need === undefined) return true;
  const good = countingClaims(claims, need, requirement);
  if (need.any && good.length === 0) return false;
  return need.require.every((standard) => good.some((claim) => claim.standard === standard));
}
