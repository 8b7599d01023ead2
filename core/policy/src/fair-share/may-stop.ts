import type { JobId } from '@ringfence/base';
import { RESOURCES, sumOf, type Amounts, type Resource } from './amounts.ts';
import type { QueueId } from './queue-terms.ts';
import { negative, passedUp, type QueueNode, type QueueTree } from './queue-tree.ts';
import { borrowedShare, guaranteed, isWithin } from './share.ts';

/** A job that runs and may be told to stop. */
export interface Stoppable {
  readonly job: JobId;
  readonly queue: QueueId | undefined;
  readonly amounts: Amounts;
  readonly priority: number;
  readonly startedAt: number;
}

/** What finds no amounts, or no machine: a job, or a gang as a whole. */
export interface Claim extends Omit<Stoppable, 'job' | 'startedAt'> {
  /** Also where it borrows itself: jobs of queues that would still have no smaller share stop for it. */
  readonly rebalance: boolean;
}

/**
 * Why `one` may be told to stop for `claim` as things are; undefined when it may not. `priority`: it is of the same queue and of lower priority.
 * `nominal`: its queue borrows something that the claim lacks within an amount of its own. `share`: as {@link Claim} says. A nominal
 * amount is for a queue's jobs of highest priority, then for those that started first: they never stop for another queue. `running`: all that may be
 * told to stop; what else runs in its queue comes before them.
 */
export function mayStop(
  tree: QueueTree,
  claim: Claim,
  one: Stoppable,
  running: readonly Stoppable[],
): 'priority' | 'nominal' | 'share' | undefined {
  const disputed = disputedResources(tree, claim);
  const own = tree.pathOf(claim.queue);
  const other = tree.pathOf(one.queue);
  if (own[0] === other[0]) {
    const helps = disputed.some((resource) => one.amounts[resource] > 0);
    return helps && one.priority < claim.priority ? 'priority' : undefined;
  }
  const [mine, theirs] = sidesOf(own, other);
  const weaker = sumOf(
    running.filter((each) => tree.pathOf(each.queue)[0] === other[0] && comesFirst(each, one)).map(amountsOf),
  );
  const without = theirs.map((node, index) => ({ node, less: passedAlong(theirs.slice(0, index), negative(weaker)) }));
  const borrowed = disputed.some(
    (resource) =>
      one.amounts[resource] > 0 &&
      without.every(({ node, less }) => node.inside[resource] + less[resource] > node.nominal[resource]),
  );
  const [ours, its] = [mine.at(-1), theirs.at(-1)];
  if (!borrowed || ours === undefined || its === undefined) return undefined;
  const more = passedAlong(mine.slice(0, -1), claim.amounts);
  if (isWithin(ours, more, disputed) && isEntitled(tree, mine, claim.amounts)) return 'nominal';
  if (!claim.rebalance) return undefined;
  const less = passedAlong(theirs.slice(0, -1), negative(one.amounts));
  const left = borrowedShare(tree, its, less);
  // Who stops has to lower the share of its queue: else two whose largest shares are of something else would have each other stopped in turns.
  const fair = borrowedShare(tree, ours, more) <= left && left < borrowedShare(tree, its);
  return fair ? 'share' : undefined;
}

/** Whether `a` stops rather than `b` of the same queue. */
export function comesFirst(a: Stoppable, b: Stoppable): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority;
  return a.startedAt !== b.startedAt ? a.startedAt > b.startedAt : a.job > b.job;
}

function amountsOf({ amounts }: Stoppable): Amounts {
  return amounts;
}

/** What is fought for: what the claim lacks; where only machines lack it, what it asks for that amounts can guarantee. */
function disputedResources(tree: QueueTree, { queue, amounts }: Claim): readonly Resource[] {
  const lacks = tree.lacks(queue, amounts);
  if (lacks.length > 0) return lacks;
  const known = guaranteed(tree, amounts);
  return known.length > 0 ? known : RESOURCES.filter((one) => amounts[one] > 0);
}

/** Whether some queue on the way stays within its nominal amount with what it asks for. */
function isEntitled(tree: QueueTree, way: readonly QueueNode[], amounts: Amounts): boolean {
  const known = guaranteed(tree, amounts);
  return way.some((node, index) => isWithin(node, passedAlong(way.slice(0, index), amounts), known));
}

/** Two paths up to where they meet, without the queue in which they do. */
function sidesOf(a: readonly QueueNode[], b: readonly QueueNode[]): [readonly QueueNode[], readonly QueueNode[]] {
  let same = 0;
  while (a.at(-1 - same) === b.at(-1 - same) && same < a.length && same < b.length) same += 1;
  return [a.slice(0, a.length - same), b.slice(0, b.length - same)];
}

function passedAlong(nodes: readonly QueueNode[], amounts: Amounts): Amounts {
  return nodes.reduce((more, node) => passedUp(node, more), amounts);
}
