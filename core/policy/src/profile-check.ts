import { EVIDENCE_GRADES, SENSITIVITIES } from '@ringfence/protocol';
import type { Workload } from '@ringfence/protocol/payload';
import type { PlacementPart, ProfileRequirements } from '@ringfence/protocol/statements';
import { decide, type Decision } from './decision.ts';
import type { PlacementLabel } from './placement-limits.ts';
import { residencyOf, residencyWithin } from './residency.ts';
import { gradeAtLeast, isolationAtLeast } from './strictness.ts';

/** A job as it would run, under its label. */
export interface JudgedJob {
  readonly placement: PlacementPart;
  readonly workload: Pick<Workload, 'logs' | 'egress'>;
  readonly label: PlacementLabel;
}

/** A requirement of a profile. */
export type ProfileField = keyof ProfileRequirements;

type Judge = (asked: ProfileRequirements, job: JudgedJob) => boolean;

/** Whether a job is at least as strict as each requirement; one that is absent asks nothing. */
const JUDGES: Readonly<Record<ProfileField, Judge>> = {
  sensitivity: ({ sensitivity = SENSITIVITIES[0] }, { label }) =>
    SENSITIVITIES.indexOf(label.sensitivity) >= SENSITIVITIES.indexOf(sensitivity),
  tiers: ({ tiers }, { placement }) => tiers === undefined || placement.tiers.every((tier) => tiers.includes(tier)),
  residency: ({ residency = [] }, { placement }) =>
    residencyWithin(residencyOf(placement.residency), residencyOf(residency)),
  residencyDeny: ({ residencyDeny }, { placement: { residencyDeny: denied } }) =>
    residencyDeny === undefined ||
    (denied !== undefined && residencyWithin(residencyOf(residencyDeny), residencyOf(denied))),
  isolation: ({ isolation }, { placement }) =>
    isolation === undefined || isolationAtLeast(placement.isolation, isolation),
  evidence: ({ evidence: asked }, { placement: { evidence } }) => asked === undefined || isAsStrict(evidence, asked),
  burst: ({ burst }, { placement }) => burst === undefined || placement.burst === burst,
  customerKey: ({ customerKey }, { placement }) => customerKey === undefined || placement.customerKey === true,
  egress: ({ egress }, { workload }) =>
    egress === undefined || (workload.egress ?? []).every((target) => egress.includes(target)),
  logs: ({ logs }, { workload }) => logs === undefined || workload.logs === logs,
  spot: ({ spot }, { placement }) => spot === undefined || placement.spot === spot,
  maxPrice: ({ maxPrice }, { placement }) => isWithin(placement.maxPrice, maxPrice),
  budget: ({ budget }, { placement }) => isWithin(placement.budget, budget),
  maxDurationMs: ({ maxDurationMs = Infinity }, { placement }) => placement.maxDurationMs <= maxDurationMs,
};

/** Whether a job is at least as strict as `profile`, or in which of its requirements it is looser. */
export function checkProfile(profile: ProfileRequirements, job: JudgedJob): Decision<ProfileField> {
  const fields = Object.keys(JUDGES) as ProfileField[];
  return decide(
    fields.filter((field) => !JUDGES[field](profile, job)),
    {},
  );
}

function isAsStrict(
  evidence: PlacementPart['evidence'],
  { require = [], grade = EVIDENCE_GRADES[0], maxAgeDays = Infinity }: NonNullable<ProfileRequirements['evidence']>,
): boolean {
  return (
    evidence !== undefined &&
    require.every((standard) => evidence.require.includes(standard)) &&
    gradeAtLeast(evidence.grade, grade) &&
    evidence.maxAgeDays <= maxAgeDays
  );
}

type Price = NonNullable<PlacementPart['maxPrice']>;

function isWithin(limit: Price | undefined, asked: Price | undefined): boolean {
  if (asked === undefined) return true;
  return limit !== undefined && limit.currency === asked.currency && limit.microUnits <= asked.microUnits;
}
