import type { EpochMs } from '@ringfence/base';
import type { Decision } from '../decision.ts';
import { levelOf, type AssuranceLevel, type AssuranceRules, type Factor } from './factor.ts';
import type { Requirement } from './requirement.ts';

/** What a process knows of who asks. */
export interface Assured {
  /** A service account is nobody: it steps up to nothing. */
  readonly person: boolean;
  readonly factors: readonly Factor[];
}

/** When it is judged, and by whose rules. */
export interface AssuranceContext {
  readonly now: EpochMs;
  readonly rules: AssuranceRules;
}

/** Why somebody is not sure enough: what level was missing and how young its factors have to be; or that nobody is there. */
export type AssuranceReason =
  | { readonly code: 'step-up'; readonly level: AssuranceLevel; readonly withinMs: number }
  | { readonly code: 'not-a-person' };

/** A kind of proof that a member could give now. */
export type StepUp = Exclude<Factor['kind'], 'federated'>;

/** Whether who asks is known surely and recently enough; factors dated ahead count for nothing (invariant 4). */
export function checkAssurance(
  requirement: Requirement,
  { person, factors }: Assured,
  { now, rules }: AssuranceContext,
): Decision<AssuranceReason, { readonly level: AssuranceLevel }> {
  const { level: wanted, withinMs, people, byRecoveryCode } = requirement;
  if (!person && (wanted > 1 || people > 1)) return { allow: false, reasons: [{ code: 'not-a-person' }] };
  const counting = factors.filter(
    ({ kind, at }) => at <= now && now - at < withinMs && (byRecoveryCode || kind !== 'recovery-code'),
  );
  const level = levelOf(counting, rules);
  if (level >= wanted) return { allow: true, level };
  return { allow: false, reasons: [{ code: 'step-up', level: wanted, withinMs }] };
}

/** Which of the factors that a member has enrolled would, given now, be enough by itself beside what is there; in the order of `enrolled`. */
export function enoughBy<Enrolled extends Factor & { readonly kind: StepUp }>(
  requirement: Requirement,
  assured: Assured,
  enrolled: readonly Enrolled[],
  context: AssuranceContext,
): readonly Enrolled[] {
  return enrolled.filter((factor) => {
    const given = { ...factor, at: context.now };
    return checkAssurance(requirement, { ...assured, factors: [...assured.factors, given] }, context).allow;
  });
}
