import type { PrivacyEvent } from '../accountant/index.ts';
import { hides, type PrivacyUnit } from './privacy-unit.ts';
import { epsilonSpent, type Bound, type Spent } from './spent.ts';
import { addTallies, tallyOf } from './tally.ts';

/** What the owner of a dataset lets be lost, and of what unit. */
export interface PrivacyBudget extends Bound {
  readonly unit: PrivacyUnit;
}

/** What somebody is about to do to a dataset. */
export interface DebitWish {
  readonly unit: PrivacyUnit;
  readonly events: readonly PrivacyEvent[];
}

/** Whether it may be done, and what will have been spent once it is, at the budget's delta. */
export type DebitDecision =
  | { readonly allow: true; readonly epsilon: number }
  | { readonly allow: false; readonly reasons: readonly ('budget' | 'unit-mismatch')[] };

/**
 * Whether a budget has room for a wish after all that was spent. What is allowed counts as spent from then on, whatever becomes of it. Costs one
 * composition over the different events there are, however many.
 */
export function decideDebit(budget: PrivacyBudget, spent: Spent, { unit, events }: DebitWish): DebitDecision {
  if (!hides(unit, budget.unit)) return { allow: false, reasons: ['unit-mismatch'] };
  const { epsilon, delta } = budget;
  const then = epsilonSpent({ ...spent, tally: addTallies(spent.tally, tallyOf(events)) }, delta);
  return then <= epsilon ? { allow: true, epsilon: then } : { allow: false, reasons: ['budget'] };
}

/** Whether a budget promises at least what the other did: no more is lost, and no smaller unit is hidden. */
export function promisesAsMuch(now: PrivacyBudget, before: PrivacyBudget): boolean {
  return now.epsilon <= before.epsilon && now.delta <= before.delta && hides(now.unit, before.unit);
}
