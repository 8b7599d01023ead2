import {
  COMMUNITY_ISOLATION,
  EVIDENCE_MAX_AGE_DAYS,
  LABEL_RULES,
  TEES,
  type Isolation,
  type LabelRule,
  type Tier,
} from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { PlacementLabel } from './placement-limits.ts';
import { strongerGrade, strongerIsolation } from './strictness.ts';

type Evidence = NonNullable<PlacementPart['evidence']>;

/** What placement and label together demand of a machine of one tier. */
export interface TierNeeds {
  readonly isolation: Isolation;
  /** Kinds of TEE of which the machine must have one; undefined: none is needed. */
  readonly tees?: PlacementPart['tees'];
  /** Evidence about the site; `any` when one unexpired claim of the grade is needed even if no standard is named. */
  readonly evidence?: Evidence & { readonly any: boolean };
}

/**
 * What a machine of `tier` must be to run a job; undefined when the job may not run on that tier at all. The label's
 * demands count whether or not the placement repeats them.
 */
export function needsAt(placement: PlacementPart, label: PlacementLabel, tier: Tier): TierNeeds | undefined {
  const rule = LABEL_RULES[label.sensitivity];
  return mayRunOn(placement, rule, tier) ? needsThere(placement, label, tier) : undefined;
}

/** What a machine of `tier` would have to be if the job might run on that tier. */
export function needsThere(placement: PlacementPart, label: PlacementLabel, tier: Tier): TierNeeds {
  const rule = LABEL_RULES[label.sensitivity];
  const tees = teesAt(placement, label, tier);
  const evidence = evidenceAt(placement, rule, tier);
  return {
    isolation: tees === undefined ? isolationAt(placement, rule, tier) : 'tee',
    ...(tees === undefined ? {} : { tees }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

/** A job that has a home and must not burst stays at home, even where other tiers would be allowed. */
function mayRunOn(placement: PlacementPart, rule: LabelRule, tier: Tier): boolean {
  if (!placement.tiers.includes(tier) || !rule.tiers.includes(tier)) return false;
  return tier === 'private' || placement.burst === 'allowed' || !placement.tiers.includes('private');
}

function isolationAt(placement: PlacementPart, rule: LabelRule, tier: Tier): Isolation {
  if (tier === 'private' && placement.isolation === 'process' && rule.processAtHome) return 'process';
  const floor = tier === 'community-cloud' ? COMMUNITY_ISOLATION : rule.isolation;
  return strongerIsolation(placement.isolation, floor);
}

function teesAt(placement: PlacementPart, label: PlacementLabel, tier: Tier): PlacementPart['tees'] | undefined {
  if (placement.tees.length > 0) return placement.tees;
  const away = tier !== 'private' && LABEL_RULES[label.sensitivity].teeAway && label.acceptProviderPlaintext !== true;
  // Whoever runs a community machine could read keys in its memory.
  const strangers = tier === 'community-cloud' && placement.customerKey === true;
  return away || strangers || placement.isolation === 'tee' ? [...TEES] : undefined;
}

function evidenceAt(placement: PlacementPart, rule: LabelRule, tier: Tier): TierNeeds['evidence'] {
  const wish = placement.evidence;
  const away = tier !== 'private';
  if (wish === undefined) {
    return away && rule.evidence !== undefined
      ? { require: [], grade: rule.evidence, maxAgeDays: EVIDENCE_MAX_AGE_DAYS, any: true }
      : undefined;
  }
  if (!away) return wish.require.length === 0 ? undefined : { ...wish, any: false };
  return { ...wish, grade: strongerGrade(wish.grade, rule.evidence ?? wish.grade), any: true };
}
