export { decideDebit, promisesAsMuch, type DebitDecision, type DebitWish, type PrivacyBudget } from './debit.ts';
export { hides, unitText, type PrivacyUnit } from './privacy-unit.ts';
export { epsilonSpent, type Bound, type Spent } from './spent.ts';
export { addTallies, eventKey, eventsOf, tallyOf, type Counted, type Tally } from './tally.ts';
