import { CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';

/** Why an offer cannot take a job: the constraints of receipts, and those that no receipt can name yet. */
export type PlacementConstraint = Constraint | 'customer-key';

/** In the order in which a refused offer is counted under its first. */
export const PLACEMENT_CONSTRAINTS: readonly PlacementConstraint[] = CONSTRAINTS.flatMap((constraint) =>
  constraint === 'hard-limits' ? ['customer-key' as const, constraint] : [constraint],
);

/** A set of constraints as bits, by place in {@link PLACEMENT_CONSTRAINTS}. */
export type FailureMask = number;

/** The bit of `constraint`. */
export function bitOf(constraint: PlacementConstraint): FailureMask {
  return 1 << PLACEMENT_CONSTRAINTS.indexOf(constraint);
}

/** A bit that is no constraint: some failure of the offer stays whatever the job gives up. */
export const FIXED: FailureMask = 1 << PLACEMENT_CONSTRAINTS.length;

/**
 * A bit that is no constraint either: the offer keeps jobs apart well enough only by its TEE. A job that needs none may not
 * count on it, since a TEE is used only where one is needed.
 */
export const LEANS_ON_TEE: FailureMask = FIXED << 1;

const ALL = FIXED - 1;

/** The constraints in `mask`, in order. */
export function constraintsIn(mask: FailureMask): PlacementConstraint[] {
  return PLACEMENT_CONSTRAINTS.filter((_, place) => (mask & (1 << place)) !== 0);
}

/** The place of the first constraint in a mask that has one. */
export function firstPlace(mask: FailureMask): number {
  return 31 - Math.clz32(mask & -mask);
}

/** How many constraints `mask` has. */
export function countOf(mask: FailureMask): number {
  let rest = mask & ALL;
  let count = 0;
  while (rest !== 0) {
    rest &= rest - 1;
    count += 1;
  }
  return count;
}

const MAY_GO: readonly PlacementConstraint[] = [
  'tier',
  'isolation',
  'tee',
  'evidence',
  'egress',
  'hard-limits',
  'cpu',
  'memory',
  'disk',
  'gpu',
  'price',
  'spot',
];

/**
 * What a job could ask less of, as far as its label lets it. Never where data may lie, whose keys open it, or what an offer's
 * own state is.
 */
export const MAY_GIVE_UP: FailureMask = MAY_GO.reduce((mask, constraint) => mask | bitOf(constraint), 0);
