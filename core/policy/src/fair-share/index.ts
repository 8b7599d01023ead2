export { askedAmounts, NOTHING, RESOURCES, sumOf, takenAmounts, type Amounts, type Resource } from './amounts.ts';
export { FairOrder, type FairTurn, type FairUnit } from './fair-order.ts';
export { giveBack, type EnoughRoom } from './give-back.ts';
export { holdAmount, mayPass, notePassed, type HeldAmount, type TimedAmounts } from './held-amount.ts';
export { mayStop, type Claim, type Stoppable } from './may-stop.ts';
export {
  MOST_QUEUES,
  readFairShareTerms,
  type FairShareFault,
  type FairShareTerms,
  type QueueId,
  type QueueTerms,
} from './queue-terms.ts';
export { QueueTree, type QueueNode } from './queue-tree.ts';
export { borrowedShare, filledPart } from './share.ts';
