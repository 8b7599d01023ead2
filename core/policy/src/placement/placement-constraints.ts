import { CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';

/** A set of constraints as bits, by place in {@link CONSTRAINTS}. */
export type FailureMask = number;

/** The bit of `constraint`. */
export function bitOf(constraint: Constraint): FailureMask {
  return 1 << CONSTRAINTS.indexOf(constraint);
}

/** A bit that is no constraint: some failure of the offer stays whatever the job gives up. */
export const FIXED: FailureMask = 1 << CONSTRAINTS.length;

/**
 * A bit that is no constraint either: the offer keeps jobs apart well enough only by its TEE. A job that needs none may not
 * count on it, since a TEE is used only where one is needed.
 */
export const LEANS_ON_TEE: FailureMask = FIXED << 1;

const ALL = FIXED - 1;

/** The constraints in `mask`, in order. */
export function constraintsIn(mask: FailureMask): Constraint[] {
  return CONSTRAINTS.filter((_, place) => (mask & (1 << place)) !== 0);
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

/** Never given up: where data may lie, whose keys open it, and what an offer's own state is. */
const GIVES_WAY: Readonly<Record<Constraint, boolean>> = {
  'agent-offline': false,
  'agent-locked': false,
  'agent-draining': false,
  'custodian-away': false,
  tier: true,
  residency: false,
  site: false,
  isolation: true,
  tee: true,
  evidence: true,
  egress: true,
  'customer-key': false,
  'hard-limits': true,
  cpu: true,
  memory: true,
  disk: true,
  gpu: true,
  price: true,
  spot: true,
};

/** What a job could ask less of, as far as its label lets it. */
export const MAY_GIVE_UP: FailureMask = CONSTRAINTS.reduce(
  (mask, constraint) => (GIVES_WAY[constraint] ? mask | bitOf(constraint) : mask),
  0,
);
