import { LABEL_RULES } from '@ringfence/protocol';
import { MOST_DENIED, type PlacementPart, type ProfileRequirements } from '@ringfence/protocol/statements';
import { leastIsolation, type PlacementWish } from './constraints.ts';
import { decide, type Decision } from './decision.ts';
import { leavesHome, type PlacementLabel } from './placement-limits.ts';
import { meetResidency, residencyList, residencyOf } from './residency.ts';
import { strongerGrade, strongerIsolation } from './strictness.ts';

type Price = NonNullable<PlacementPart['maxPrice']>;

/** What a job asks for where a profile has a say: its wishes, and what it costs and takes. */
export interface ProfiledJob {
  readonly wish: PlacementWish;
  readonly residencyDeny?: readonly string[] | undefined;
  readonly customerKey?: boolean | undefined;
  readonly spot: PlacementPart['spot'];
  readonly maxPrice?: Price | undefined;
  /** For the whole job. */
  readonly budget?: Price | undefined;
  readonly maxDurationMs: number;
  readonly egress: readonly string[];
}

/** A field in which a job and its profile have nothing in common, and what the profile allows. */
export interface ProfileConflict {
  readonly field: 'tiers' | 'residency' | 'residencyDeny' | 'maxPrice' | 'budget' | 'egress';
  readonly allowed: readonly string[];
}

/**
 * The strictest of a job's own wish, its profile and what its label leaves open. Wishes that contradict the profile are refused with what it
 * allows; a host that a job could not reach would change what the job does, so its list is never shortened.
 */
export function withProfile(
  job: ProfiledJob,
  profile: ProfileRequirements,
  label: PlacementLabel,
): Decision<ProfileConflict, { readonly job: ProfiledJob }> {
  const tiers = tiersOf(job, profile, label);
  const residency = residencyWith(job, profile);
  const maxPrice = lower(job.maxPrice, profile.maxPrice);
  const budget = lower(job.budget, profile.budget);
  const { egress } = profile;
  const denied = [...new Set([...(job.residencyDeny ?? []), ...(profile.residencyDeny ?? [])])];
  const conflicts: (readonly [ProfileConflict['field'], boolean, readonly string[] | undefined])[] = [
    ['tiers', tiers?.length === 0, profile.tiers],
    ['residency', residency === 'nowhere', profile.residency],
    ['residencyDeny', denied.length > MOST_DENIED, [`${MOST_DENIED} places in all`]],
    ['maxPrice', maxPrice === 'incomparable', currencyOf(profile.maxPrice)],
    ['budget', budget === 'incomparable', currencyOf(profile.budget)],
    ['egress', egress !== undefined && !job.egress.every((target) => within(egress, target)), egress],
  ];
  const reasons = conflicts.flatMap(([field, clash, allowed = []]) => (clash ? [{ field, allowed }] : []));
  return decide(reasons, {
    job: {
      ...job,
      wish: {
        ...job.wish,
        tiers,
        residency: residency === 'nowhere' ? [] : residency,
        isolation: isolationWith(job, profile, { label, tiers }),
        evidence: evidenceWith(job, profile, { label, tiers }),
        burst: profile.burst ?? job.wish.burst,
        logs: profile.logs ?? job.wish.logs,
      },
      residencyDeny: denied.length === 0 ? undefined : denied,
      customerKey: profile.customerKey ?? job.customerKey,
      spot: profile.spot ?? job.spot,
      maxPrice: maxPrice === 'incomparable' ? undefined : maxPrice,
      budget: budget === 'incomparable' ? undefined : budget,
      maxDurationMs: Math.min(job.maxDurationMs, profile.maxDurationMs ?? Infinity),
    },
  });
}

interface Bounds {
  readonly label: PlacementLabel;
  readonly tiers: PlacementWish['tiers'];
}

function tiersOf({ wish }: ProfiledJob, { tiers }: ProfileRequirements, { sensitivity }: PlacementLabel) {
  if (tiers === undefined) return wish.tiers;
  return (wish.tiers ?? LABEL_RULES[sensitivity].tiers).filter((tier) => tiers.includes(tier));
}

/** What the job says nothing about is its label's, which the custodian made with the profile. */
function residencyWith(
  { wish }: ProfiledJob,
  { residency }: ProfileRequirements,
): readonly string[] | 'nowhere' | undefined {
  if (wish.residency === undefined || residency === undefined) return wish.residency;
  return residencyList(meetResidency(residencyOf(wish.residency), residencyOf(residency))) ?? 'nowhere';
}

function isolationWith({ wish }: ProfiledJob, { isolation }: ProfileRequirements, { label, tiers }: Bounds) {
  if (isolation === undefined) return wish.isolation;
  const rule = LABEL_RULES[label.sensitivity];
  return strongerIsolation(isolation, wish.isolation ?? leastIsolation(rule, tiers ?? rule.tiers));
}

function evidenceWith({ wish }: ProfiledJob, { evidence }: ProfileRequirements, { label, tiers }: Bounds) {
  if (evidence === undefined) return wish.evidence;
  const rule = LABEL_RULES[label.sensitivity];
  const floor = leavesHome(tiers ?? rule.tiers) ? rule.evidence : undefined;
  const grades = [evidence.grade, wish.evidence?.grade, floor].filter((grade) => grade !== undefined);
  const ages = [evidence.maxAgeDays, wish.evidence?.maxAgeDays].filter((age) => age !== undefined);
  return {
    require: [...new Set([...(wish.evidence?.require ?? []), ...(evidence.require ?? [])])],
    grade: grades.length === 0 ? undefined : grades.reduce(strongerGrade),
    maxAgeDays: ages.length === 0 ? undefined : Math.min(...ages),
  };
}

function lower(a: Price | undefined, b: Price | undefined): Price | 'incomparable' | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.currency !== b.currency) return 'incomparable';
  return a.microUnits <= b.microUnits ? a : b;
}

function currencyOf(price: Price | undefined): string[] {
  return price === undefined ? [] : [`an amount in ${price.currency}`];
}

function within(list: readonly string[], target: string): boolean {
  return list.includes(target);
}
