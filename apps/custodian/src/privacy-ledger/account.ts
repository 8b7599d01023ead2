import type { ArtifactId } from '@ringfence/base';
import { epsilonSpent, hides, type PrivacyBudget, type Spent } from '@ringfence/dp/ledger';
import { numberOf } from '@ringfence/protocol/federation';
import type { Tx } from '../store/open-store.ts';
import { pastOf, type Past } from './doubts.ts';
import { familyOf } from './lineage.ts';
import { eventsFor, readTally, type TallyRow } from './tally-rows.ts';
import { readUnit } from './spelled.ts';

/** The account of one dataset that has a budget. */
export interface Account {
  readonly artifact: ArtifactId;
  readonly budget: PrivacyBudget;
  readonly past: Past;
  /** What was done to it and to whatever may have rows of the same people, as far back as it is known. */
  readonly rows: readonly TallyRow[];
}

/** The accounts of the datasets among `artifacts` that have a budget, in order of their ids; locked until `tx` ends when it is to be debited. */
export async function openAccounts(
  tx: Tx,
  artifacts: readonly ArtifactId[],
  lock: 'lock' | 'read',
): Promise<Account[]> {
  if (artifacts.length === 0) return [];
  const budgets = await tx
    .selectFrom('privacy_budget')
    .select(['artifact', 'unit', 'epsilon', 'delta'])
    .where('artifact', 'in', artifacts)
    .orderBy('artifact')
    .$if(lock === 'lock', (query) => query.forUpdate())
    .execute();
  const accounts: Account[] = [];
  for (const { artifact, unit, epsilon, delta } of budgets) {
    const past = await pastOf(tx, artifact);
    const since = past.known === 'since' ? past.era : 0;
    const rows = await readTally(tx, await familyOf(tx, artifact), since);
    const budget = { unit: readUnit(unit), epsilon: numberOf(epsilon), delta: numberOf(delta) };
    accounts.push({ artifact, budget, past, rows });
  }
  return accounts;
}

/** What was done, as a budget is debited by it. */
export function spentOn({ past, rows }: Pick<Account, 'past' | 'rows'>): Spent {
  return { floor: past.known === 'since' ? past.floor : undefined, tally: eventsFor(rows, 'budget') };
}

/** Epsilon at the budget's delta; ∞ while it is not known what was done, or where something was done that does not hide the budget's unit. */
export function epsilonOfAccount(account: Account): number {
  const { past, rows, budget } = account;
  if (past.known === 'not' || !isOfUnit(account)) return Infinity;
  return epsilonSpent(spentOn({ past, rows }), budget.delta);
}

/** Whether everything that was done hides the budget's unit: where a kinship was found later, something may not. */
export function isOfUnit({ rows, budget }: Account): boolean {
  return rows.every(({ unit }) => hides(unit, budget.unit));
}
