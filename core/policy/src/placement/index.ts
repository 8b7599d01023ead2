export type { CountedClaim } from './chosen-claims.ts';
export type { ConstraintCount, Explanation, Relaxation } from './explanation.ts';
export { LeastUsed } from './least-used.ts';
export { Inventory, type OfferState } from './inventory.ts';
export { WHOLE_GPU, type GpuCards, type PlacementOffer } from './placement-offer.ts';
export {
  Placer,
  type ChosenOffer,
  type Placement,
  type PlacementReason,
  type RankedOffer,
  type WhyNot,
} from './placer.ts';
export { readOffer, type OfferFault } from './read-offer.ts';
export {
  DEFAULT_WEIGHTS,
  EVIDENCE_GRACE_MS,
  type DataSource,
  type PlacementRequest,
  type PlacementWishes,
  type Weights,
} from './requirement.ts';
export type { ScoreTerms } from './score.ts';
export { signedWishes } from './signed-wishes.ts';
export { takeOf, type Take, type TakenGpus } from './take.ts';
