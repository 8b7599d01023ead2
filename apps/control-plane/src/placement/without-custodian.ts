import type { ConstraintCount, Placement } from '@ringfence/policy/placement';
import { CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';

/**
 * What `placement` comes to while nobody would grant the job: every offer fails `custodian-away` too, and those that fail nothing before it
 * in the order of constraints are counted under it.
 */
export function withoutCustodian(placement: Placement): Placement {
  const { considered, feasible, explanation } = placement;
  // With no offer, or a placement that its label forbids, the custodian changes nothing.
  if (considered === 0) return placement;
  const before = explanation.refused.filter(({ constraint }) => comesBefore(constraint));
  const rest = before.reduce((left, { count }) => left - count, considered);
  return {
    ...placement,
    decision: { allow: false, reasons: [{ code: 'no-offer-fits' }] },
    feasible: 0,
    explanation: {
      refused: [...before, ...counted(rest)],
      failed: [
        ...explanation.failed.filter(({ constraint }) => comesBefore(constraint)),
        ...counted(considered),
        ...explanation.failed.filter(({ constraint }) => !comesBefore(constraint)),
      ],
      soleFailures: counted(feasible),
      relaxations: [],
    },
    top: [],
  };
}

function comesBefore(constraint: Constraint): boolean {
  return CONSTRAINTS.indexOf(constraint) < CONSTRAINTS.indexOf('custodian-away');
}

function counted(count: number): ConstraintCount[] {
  return count === 0 ? [] : [{ constraint: 'custodian-away', count }];
}
