export type { CountedClaim } from './chosen-claims.ts';
export type { ConstraintCount, Explanation, Relaxation } from './explanation.ts';
export { Inventory, type OfferState } from './inventory.ts';
export { PLACEMENT_CONSTRAINTS, type PlacementConstraint } from './placement-constraints.ts';
export * from './placement-offer.ts';
export * from './placer.ts';
export * from './read-offer.ts';
export * from './receipt-draft.ts';
export {
  DEFAULT_WEIGHTS,
  EVIDENCE_GRACE_MS,
  type DataSource,
  type PlacementRequest,
  type PlacementWishes,
  type Weights,
} from './requirement.ts';
export type { ScoreTerms } from './score.ts';
export type { Take, TakenGpus } from './take.ts';
