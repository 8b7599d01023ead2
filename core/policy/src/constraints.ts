import {
  EVIDENCE_GRADES,
  EVIDENCE_MAX_AGE_DAYS,
  LABEL_RULES,
  type Isolation,
  type LabelRule,
  type Tier,
} from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { decide, type Decision } from './decision.ts';
import { leavesHome, loosenings, type LabelledPart, type Loosening, type PlacementLabel } from './placement-limits.ts';
import type { EvidenceGrade } from './strictness.ts';

type Evidence = NonNullable<PlacementPart['evidence']>;

/** What a job file asks of the place where it runs; what it leaves out comes from the label. */
export interface PlacementWish {
  readonly tiers?: readonly Tier[] | undefined;
  readonly residency?: readonly string[] | undefined;
  /** `process` asks for the loosest and is taken at the organisation's own sites only, where the label permits it. */
  readonly isolation?: Isolation | undefined;
  readonly tees?: PlacementPart['tees'] | undefined;
  readonly evidence?:
    | {
        readonly require?: Evidence['require'] | undefined;
        readonly grade?: EvidenceGrade | undefined;
        readonly maxAgeDays?: number | undefined;
      }
    | undefined;
  readonly egress?: PlacementPart['egress'] | undefined;
  readonly burst?: PlacementPart['burst'] | undefined;
  readonly logs?: 'local' | 'sealed' | undefined;
}

/** The label's share of a placement part, and where logs may lie. */
export interface LabelConstraints extends LabelledPart {
  readonly logs: 'local' | 'sealed';
}

/**
 * The constraints of a job with this label and these wishes: the table's defaults, tightened. A wish that is looser than
 * the label permits is refused with what would be permitted; nothing is quietly corrected.
 */
export function constraintsFor(
  label: PlacementLabel,
  wish: PlacementWish,
): Decision<Loosening, { readonly constraints: LabelConstraints }> {
  const rule = LABEL_RULES[label.sensitivity];
  const tiers = [...(wish.tiers ?? rule.tiers)];
  const evidence = evidenceOf(wish.evidence, leavesHome(tiers) ? rule.evidence : undefined);
  const constraints: LabelConstraints = {
    tiers,
    residency: [...(wish.residency ?? label.residency)],
    isolation: wish.isolation ?? leastIsolation(rule, tiers),
    tees: [...(wish.tees ?? [])],
    ...(evidence === undefined ? {} : { evidence }),
    egress: wish.egress ?? 'none',
    burst: wish.burst ?? rule.burst,
    logs: wish.logs ?? rule.logs,
  };
  return decide([...loosenings(constraints, label), ...logLoosening(constraints.logs, label)], { constraints });
}

/** Logs of data that must stay local may not be sealed and sent, not even to the organisation's own store. */
export function logLoosening(logs: 'local' | 'sealed', label: PlacementLabel): Loosening[] {
  const strict = LABEL_RULES[label.sensitivity].logs === 'local' && logs !== 'local';
  return strict ? [{ field: 'logs', allowed: ['local'] }] : [];
}

/** A job that does not say takes what its label takes; the best level present is used wherever it runs. */
export function leastIsolation(rule: LabelRule, tiers: readonly Tier[]): Isolation {
  return rule.processAtHome && tiers.includes('private') ? 'process' : rule.isolation;
}

function evidenceOf(wish: PlacementWish['evidence'], floor: EvidenceGrade | undefined): Evidence | undefined {
  if (wish === undefined && floor === undefined) return undefined;
  return {
    require: [...(wish?.require ?? [])],
    grade: wish?.grade ?? floor ?? EVIDENCE_GRADES[0],
    maxAgeDays: wish?.maxAgeDays ?? EVIDENCE_MAX_AGE_DAYS,
  };
}
