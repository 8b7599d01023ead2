import { EVIDENCE_MAX_AGE_DAYS, LABEL_RULES, type LabelRule, type Sensitivity, type Tier } from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { residencyOf, residencyWithin } from './residency.ts';
import { gradeAtLeast, isolationAtLeast } from './strictness.ts';

/** What placement reads of a label; the custodian's signed label statement has it. */
export interface PlacementLabel {
  readonly sensitivity: Sensitivity;
  /** Empty: anywhere. */
  readonly residency: readonly string[];
  readonly acceptProviderPlaintext?: boolean | undefined;
}

/** The parts of a placement on which a label has a say. */
export type LabelledPart = Pick<
  PlacementPart,
  'tiers' | 'residency' | 'isolation' | 'tees' | 'evidence' | 'egress' | 'burst'
>;

/** A part of a placement that is looser than its label permits, and what the label permits. */
export interface Loosening {
  readonly field: 'tiers' | 'residency' | 'isolation' | 'evidence' | 'egress' | 'burst' | 'logs';
  readonly allowed: readonly string[];
}

/** Everything in which `part` is looser than `label` permits; empty when it is at least as strict. */
export function loosenings(part: LabelledPart, label: PlacementLabel): Loosening[] {
  const rule = LABEL_RULES[label.sensitivity];
  return [
    ...tierLoosening(part, rule),
    ...residencyLoosening(part, label),
    ...isolationLoosening(part, rule),
    ...evidenceLoosening(part, rule),
    ...(rule.egress === 'none' && part.egress !== 'none' ? [loose('egress', ['none'])] : []),
    ...(rule.burst === 'never' && part.burst !== 'never' ? [loose('burst', ['never'])] : []),
  ];
}

/** Whether any of `tiers` is not the organisation's own. */
export function leavesHome(tiers: readonly Tier[]): boolean {
  return tiers.some((tier) => tier !== 'private');
}

function tierLoosening(part: LabelledPart, rule: LabelRule): Loosening[] {
  const within = part.tiers.length > 0 && part.tiers.every((tier) => rule.tiers.includes(tier));
  return within ? [] : [loose('tiers', rule.tiers)];
}

function residencyLoosening(part: LabelledPart, label: PlacementLabel): Loosening[] {
  const within = residencyWithin(residencyOf(part.residency), residencyOf(label.residency));
  return within ? [] : [loose('residency', label.residency)];
}

function isolationLoosening(part: LabelledPart, rule: LabelRule): Loosening[] {
  const atHome = part.isolation === 'process' && rule.processAtHome && part.tiers.includes('private');
  return atHome || isolationAtLeast(part.isolation, rule.isolation) ? [] : [loose('isolation', [rule.isolation])];
}

/** The organisation's own sites are vouched for by its keyring; evidence is about everyone else's. */
function evidenceLoosening(part: LabelledPart, rule: LabelRule): Loosening[] {
  if (rule.evidence === undefined || !leavesHome(part.tiers)) return [];
  const enough =
    part.evidence !== undefined &&
    gradeAtLeast(part.evidence.grade, rule.evidence) &&
    part.evidence.maxAgeDays <= EVIDENCE_MAX_AGE_DAYS;
  return enough ? [] : [loose('evidence', [rule.evidence])];
}

function loose(field: Loosening['field'], allowed: readonly string[]): Loosening {
  return { field, allowed };
}
