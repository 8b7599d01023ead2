import type { AssuranceLevel } from './factor.ts';

/** What an action asks of those who want it. */
export interface Requirement {
  readonly level: AssuranceLevel;
  /** Factors older than this do not count. */
  readonly withinMs: number;
  /** 2: min(2, officers) members agree to the same digest, or a lone officer waits. */
  readonly people: 1 | 2;
  /** Whether a recovery code counts: only where somebody regains their own factors. */
  readonly byRecoveryCode: boolean;
}

/** Whether members have enrolled factors; without any there is nothing to step up with. */
export type AssuranceMode = 'factors' | 'device-only';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Reads, and work within what one may do anyway. */
export const DAILY: Requirement = { level: 1, withinMs: 12 * HOUR_MS, people: 1, byRecoveryCode: false };
/** Cuts off what is one's own: any one factor, given lately. */
export const FRESH: Requirement = { level: 1, withinMs: 15 * MINUTE_MS, people: 1, byRecoveryCode: false };
/** Lets data in, somebody near it, or money out. */
export const CAREFUL: Requirement = { level: 2, withinMs: 12 * HOUR_MS, people: 1, byRecoveryCode: false };
/** Lets somebody in, or destroys what cannot be made again. */
export const GRAVE: Requirement = { level: 2, withinMs: 15 * MINUTE_MS, people: 1, byRecoveryCode: false };
/** Two people, however sure each of them was: that was asked of the request in which each agreed. */
export const BY_TWO: Requirement = { level: 1, withinMs: Number.MAX_SAFE_INTEGER, people: 2, byRecoveryCode: false };
/** As grave, for one's own factors: who lost them has recovery codes for it. */
export const REGAIN: Requirement = { ...GRAVE, byRecoveryCode: true };
/** Could end the organisation's hold on its own keys. */
export const HIGHEST: Requirement = { level: 3, withinMs: 5 * MINUTE_MS, people: 2, byRecoveryCode: false };

/** The requirement as it counts in `mode`: `device-only` lowers levels to what device keys reach, and never the number of people. */
export function requirementIn(mode: AssuranceMode, requirement: Requirement): Requirement {
  return mode === 'device-only' && requirement.level > 1 ? { ...requirement, level: 1 } : requirement;
}
