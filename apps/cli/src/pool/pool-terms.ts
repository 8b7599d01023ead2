import { readBurstTerms, type BurstTerms } from '@ringfence/policy/burst';
import type { PoolWishes } from '@ringfence/protocol/pool-file';
import { CliError } from '../cli-error.ts';

/** What a pool statement says beside whose it is. */
export interface PoolTerms {
  readonly terms: BurstTerms;
  /** What an own machine costs an hour: millionths of the budget's currency. */
  readonly homeHour: number;
}

const MINUTE = 60_000;
const MONTH = 30 * 86_400_000;
const HIGH_WAIT = 5 * MINUTE;

/** What holds where neither the wishes nor terms before them say anything; docs/burst.md has the same table. */
const USUAL: Omit<BurstTerms, 'budget' | 'lowWaitMs'> = {
  highWaitMs: HIGH_WAIT,
  highLooks: 3,
  lowLooks: 3,
  cooldownMs: 5 * MINUTE,
  minLifetimeMs: 10 * MINUTE,
  mostAtOnce: 10,
  overheadMs: 5 * MINUTE,
};

/** The terms that wishes come to, on top of those before. Throws CliError `usage` for what cannot be, with what is wrong. */
export function poolTerms(wishes: PoolWishes, before: PoolTerms | undefined): PoolTerms {
  const money = wishes.budget ?? before?.terms.budget;
  if (money === undefined)
    throw new CliError('usage', 'a pool has a budget', {
      next: "ringfence pool set --budget '100 EUR' --period month",
    });
  const { homeHour } = wishes;
  if (homeHour !== undefined && homeHour.currency !== money.currency)
    throw new CliError('usage', 'budget and home cost are in different currencies', { next: 'give both in one' });
  if (homeHour === undefined && before !== undefined && isOtherMoney(before, money.currency))
    throw new CliError('usage', 'what an own machine costs was said in another currency', {
      next: 'give --home-cost anew, in the currency of the budget',
    });
  const budget = {
    microUnits: money.microUnits,
    currency: money.currency,
    periodMs: wishes.periodMs ?? before?.terms.budget.periodMs ?? MONTH,
  };
  const usual = { ...USUAL, ...before?.terms };
  const highWaitMs = wishes.highWaitMs ?? usual.highWaitMs;
  const read = readBurstTerms({
    highWaitMs,
    highLooks: wishes.highLooks ?? usual.highLooks,
    lowWaitMs: wishes.lowWaitMs ?? before?.terms.lowWaitMs ?? Math.floor(highWaitMs / 5),
    lowLooks: wishes.lowLooks ?? usual.lowLooks,
    cooldownMs: wishes.cooldownMs ?? usual.cooldownMs,
    minLifetimeMs: wishes.minLifetimeMs ?? usual.minLifetimeMs,
    mostAtOnce: wishes.mostAtOnce ?? usual.mostAtOnce,
    overheadMs: wishes.overheadMs ?? usual.overheadMs,
    budget,
  });
  if (!read.allow)
    throw new CliError(
      'usage',
      read.reasons.map(({ field, fault }) => `${FLAGS[field] ?? field}: ${FAULTS[fault]}`).join('; '),
      {
        next: 'docs/burst.md says what each of them does',
      },
    );
  return { terms: read.terms, homeHour: homeHour?.microUnits ?? before?.homeHour ?? 0 };
}

/** What an own machine costs would mean another amount in `currency`; nothing is nothing in each. */
function isOtherMoney({ terms, homeHour }: PoolTerms, currency: string): boolean {
  return homeHour > 0 && terms.budget.currency !== currency;
}

/** The flags of `pool set` for the fields of terms. */
const FLAGS: Readonly<Record<string, string>> = {
  highWaitMs: '--high',
  highLooks: '--high-looks',
  lowWaitMs: '--low',
  lowLooks: '--low-looks',
  cooldownMs: '--cooldown',
  minLifetimeMs: '--min-lifetime',
  mostAtOnce: '--most-at-once',
  overheadMs: '--overhead',
  'budget.microUnits': '--budget',
  'budget.currency': '--budget',
  'budget.periodMs': '--period',
};

const FAULTS = {
  malformed: 'this cannot be read',
  'out-of-range': 'too small or too large',
  'low-above-half-of-high': 'at most half of the high threshold',
} as const;
