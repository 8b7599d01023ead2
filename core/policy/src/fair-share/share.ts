import { RESOURCES, type Amounts, type Resource } from './amounts.ts';
import type { QueueNode, QueueTree } from './queue-tree.ts';

/**
 * A queue's weighted dominant share of what it borrows: of the resource of which it borrows the largest part of all machines, that part, divided
 * by its weight; 0 within its nominal amount. `more` is what would run there beside. (Ghodsi et al., "Dominant Resource Fairness", NSDI 2011,
 * §4.3 for weights; counted above the nominal amount as Kueue's fair sharing does.)
 */
export function borrowedShare({ capacity }: QueueTree, { inside, nominal, weight }: QueueNode, more?: Amounts): number {
  let share = 0;
  for (const resource of RESOURCES) {
    const over = inside[resource] + (more?.[resource] ?? 0) - nominal[resource];
    if (over > 0) share = Math.max(share, over / (capacity[resource] * weight));
  }
  return share;
}

/** How far a queue has filled its nominal amount, by the resource of which it has filled most: 0 to 1 while it borrows nothing. */
export function filledPart({ named }: QueueTree, { inside, nominal }: QueueNode): number {
  let part = 0;
  for (const resource of named) if (nominal[resource] > 0) part = Math.max(part, inside[resource] / nominal[resource]);
  return part;
}

/** The resources by which it is known whether `amounts` are within a nominal amount: those asked for of which anybody states one. */
export function guaranteed({ named }: QueueTree, amounts: Amounts): readonly Resource[] {
  return RESOURCES.filter((resource) => named.has(resource) && amounts[resource] > 0);
}

/** Whether a queue stays within its nominal amount of `resources` with `more` in it; of no resources it does not. */
export function isWithin({ inside, nominal }: QueueNode, more: Amounts, resources: readonly Resource[]): boolean {
  return resources.length > 0 && resources.every((resource) => inside[resource] + more[resource] <= nominal[resource]);
}
