import { EVIDENCE_MAX_AGE_DAYS, LABEL_RULES } from '@ringfence/protocol';
import type { Constraint, PlacementPart } from '@ringfence/protocol/statements';
import { leavesHome, type PlacementLabel } from '../placement-limits.ts';
import { strongerGrade } from '../strictness.ts';
import { bitOf, constraintsIn, type FailureMask } from './placement-constraints.ts';
import type { PlacementRequest } from './requirement.ts';

type Change = (placement: PlacementPart, label: PlacementLabel) => PlacementPart;

/** How a job gives up a constraint: down to what its label asks for, never below. */
const GIVE_UP: Readonly<Partial<Record<Constraint, Change>>> = {
  tier: (placement, { sensitivity }) => {
    const { tiers, burst } = LABEL_RULES[sensitivity];
    return { ...placement, tiers: [...tiers], burst };
  },
  isolation: (placement, { sensitivity }) => {
    const { processAtHome, isolation } = LABEL_RULES[sensitivity];
    const loosest = processAtHome && placement.tiers.includes('private') ? 'process' : isolation;
    return { ...placement, isolation: loosest };
  },
  tee: (placement) => ({ ...placement, tees: [] }),
  evidence: (placement) => omit(placement, 'evidence'),
  egress: (placement, { sensitivity }) => ({ ...placement, egress: LABEL_RULES[sensitivity].egress }),
  'hard-limits': (placement) => withResources(placement, { hardLimits: false }),
  cpu: (placement) => withResources(placement, { cpuMilli: 0 }),
  memory: (placement) => withResources(placement, { memoryBytes: 0 }),
  disk: (placement) => withResources(placement, { diskBytes: 0 }),
  gpu: (placement) => ({ ...placement, resources: omit(placement.resources, 'gpus') }),
  price: (placement) => omit(omit(placement, 'maxPrice'), 'budget'),
  spot: (placement) => ({ ...placement, spot: 'auto' }),
};

/**
 * The request that asks no more than its label does in what `mask` names. Costs are compared in the same currency as before:
 * the caller has to keep it where a price limit named it.
 */
export function relaxed(request: PlacementRequest, mask: FailureMask): PlacementRequest {
  let { placement } = request;
  for (const constraint of constraintsIn(mask)) {
    // Isolation comes after tiers: what is loosest depends on them.
    placement = GIVE_UP[constraint]?.(placement, request.label) ?? placement;
  }
  placement = withEvidenceOfLabel(placement, request.label, (mask & bitOf('tier')) !== 0);
  const { gpuMilli, ...wishes } = request.wishes ?? {};
  const keep = gpuMilli === undefined || placement.resources.gpus === undefined ? {} : { gpuMilli };
  return { ...request, placement, wishes: { ...wishes, ...keep } };
}

/** A placement that may leave home has to say the evidence that its label asks for. */
function withEvidenceOfLabel(
  placement: PlacementPart,
  { sensitivity }: PlacementLabel,
  tierGiven: boolean,
): PlacementPart {
  const grade = LABEL_RULES[sensitivity].evidence;
  if (grade === undefined || !leavesHome(placement.tiers)) return placement;
  const { evidence } = placement;
  if (evidence === undefined) {
    return { ...placement, evidence: { require: [], grade, maxAgeDays: EVIDENCE_MAX_AGE_DAYS } };
  }
  if (!tierGiven) return placement;
  const maxAgeDays = Math.min(evidence.maxAgeDays, EVIDENCE_MAX_AGE_DAYS);
  return { ...placement, evidence: { ...evidence, grade: strongerGrade(evidence.grade, grade), maxAgeDays } };
}

/** A copy of `from` that lacks an optional field. */
function omit<T extends { [key in Key]?: unknown }, Key extends 'evidence' | 'maxPrice' | 'budget' | 'gpus'>(
  from: T,
  key: Key,
): T {
  const copy = { ...from };
  delete copy[key];
  return copy;
}

function withResources(placement: PlacementPart, change: Partial<PlacementPart['resources']>): PlacementPart {
  return { ...placement, resources: { ...placement.resources, ...change } };
}
