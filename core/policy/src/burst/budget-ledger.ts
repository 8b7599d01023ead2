import type { EpochMs, JobId } from '@ringfence/base';
import type { Decision } from '../decision.ts';
import type { Price } from '../placement/placement-offer.ts';
import type { Budget } from './burst-terms.ts';

const HOUR_MS = 3_600_000n;

/** The worst case of one attempt that may be alive. */
export interface Reservation {
  readonly job: JobId;
  readonly attempt: number;
  /** Number of the period in which it was made. */
  readonly period: number;
  /** Price of an hour, millionths of the budget's currency. */
  readonly hourMicroUnits: number;
  readonly since: EpochMs;
  /** The attempt costs nothing after this moment: its lease is not renewed past it. */
  readonly coveredUntil: EpochMs;
  readonly microUnits: number;
}

/** What is spent, and what may still be: millionths of the budget's currency. */
export interface BudgetLedger {
  /** Number of the current period, from 1970; it only grows. */
  readonly period: number;
  /** Settled costs of the current period. */
  readonly spent: number;
  /** Settled costs of all periods. */
  readonly spentEver: number;
  readonly open: readonly Reservation[];
}

/** A ledger in which nothing is spent. */
export const EMPTY_LEDGER: BudgetLedger = { period: 0, spent: 0, spentEver: 0, open: [] };

/** Why nothing can be reserved. */
export type BudgetRefusal = 'budget' | 'currency' | 'unknown-price' | 'already-reserved';

/** An attempt whose worst case is to be reserved. */
export interface AwayAttempt {
  readonly job: JobId;
  readonly attempt: number;
  readonly price: Price | undefined;
  /** The longest that it may cost something. */
  readonly coveredMs: number;
  readonly now: EpochMs;
}

/** What `ms` milliseconds cost at a price of `hourMicroUnits` an hour, rounded up. */
export function costOf(hourMicroUnits: number, ms: number): number {
  const product = BigInt(hourMicroUnits) * BigInt(Math.max(0, Math.ceil(ms)));
  return Number((product + HOUR_MS - 1n) / HOUR_MS);
}

/** What is reserved. */
export function reservedIn({ open }: BudgetLedger): number {
  return open.reduce((sum, { microUnits }) => sum + microUnits, 0);
}

/** The ledger at `now`: a new period has spent nothing; a clock that went back changes nothing. */
export function ledgerAt(ledger: BudgetLedger, { periodMs }: Budget, now: EpochMs): BudgetLedger {
  const period = Math.floor(now / periodMs);
  return period > ledger.period ? { ...ledger, period, spent: 0 } : ledger;
}

/** The dearest hour that the rest of the budget pays for `coveredMs`; undefined when nothing is left. */
export function affordableHour(
  ledger: BudgetLedger,
  budget: Budget,
  { now, coveredMs }: { readonly now: EpochMs; readonly coveredMs: number },
): number | undefined {
  const current = ledgerAt(ledger, budget, now);
  const left = budget.microUnits - current.spent - reservedIn(current);
  if (left <= 0 || coveredMs <= 0) return undefined;
  return Number((BigInt(left) * HOUR_MS) / BigInt(Math.ceil(coveredMs)));
}

/** Reserves the worst case of an attempt, if the budget holds it beside everything that is spent and may be alive. */
export function reserve(
  ledger: BudgetLedger,
  budget: Budget,
  { job, attempt, price, coveredMs, now }: AwayAttempt,
): Decision<BudgetRefusal, { readonly ledger: BudgetLedger; readonly reservation: Reservation }> {
  if (price === undefined) return { allow: false, reasons: ['unknown-price'] };
  if (price.currency !== budget.currency) return { allow: false, reasons: ['currency'] };
  const current = ledgerAt(ledger, budget, now);
  if (current.open.some((each) => each.job === job && each.attempt === attempt))
    return { allow: false, reasons: ['already-reserved'] };
  const microUnits = costOf(price.microUnits, coveredMs);
  if (current.spent + reservedIn(current) + microUnits > budget.microUnits)
    return { allow: false, reasons: ['budget'] };
  const reservation: Reservation = {
    job,
    attempt,
    period: current.period,
    hourMicroUnits: price.microUnits,
    since: now,
    coveredUntil: (now + coveredMs) as EpochMs,
    microUnits,
  };
  return { allow: true, ledger: { ...current, open: [...current.open, reservation] }, reservation };
}

/** Books what an attempt cost until `endedAt`, never more than was reserved; undefined when nothing is reserved for it (any more). */
export function settle(
  ledger: BudgetLedger,
  { job, attempt, endedAt }: { readonly job: JobId; readonly attempt: number; readonly endedAt: EpochMs },
): { readonly ledger: BudgetLedger; readonly microUnits: number } | undefined {
  const found = ledger.open.find((each) => each.job === job && each.attempt === attempt);
  if (found === undefined) return undefined;
  const microUnits = costOf(found.hourMicroUnits, Math.min(endedAt, found.coveredUntil) - found.since);
  const open = ledger.open.filter((each) => each !== found);
  const spent = ledger.spent + (found.period === ledger.period ? microUnits : 0);
  return { ledger: { ...ledger, open, spent, spentEver: ledger.spentEver + microUnits }, microUnits };
}
