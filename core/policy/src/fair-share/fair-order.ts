import type { EpochMs, JobId } from '@ringfence/base';
import { inQueueOrder } from '../queue/order.ts';
import type { Amounts, Resource } from './amounts.ts';
import { holdAmount, mayPass, notePassed, type HeldAmount, type TimedAmounts } from './held-amount.ts';
import type { QueueId } from './queue-terms.ts';
import { passedUp, type QueueNode, type QueueTree } from './queue-tree.ts';
import { borrowedShare, filledPart, guaranteed, isWithin } from './share.ts';

/** So many jobs that lack amounts have them kept. */
const MOST_HELD = 16;

/** What starts together: a job, or a gang as a whole under the id, priority and submission of its first. */
export interface FairUnit {
  readonly job: JobId;
  readonly queue: QueueId | undefined;
  /** Of all its jobs together. */
  readonly amounts: Amounts;
  /** As signed; it counts within the queue only. */
  readonly priority: number;
  readonly submittedAt: number;
  /** The longest that it runs. */
  readonly maxDurationMs: number;
}

/** Whose turn it is. */
export interface FairTurn<Unit> {
  readonly unit: Unit;
  /** Why it may not start whatever the machines have: amounts that are used up, or `held` for somebody before it. */
  readonly lacks: readonly (Resource | 'held')[];
  /** It, or a queue that it is in, stays within its nominal amount with it. */
  readonly entitled: boolean;
}

/** The first of a queue, as the queue above sees it. */
interface Candidate<Unit> {
  readonly unit: Unit;
  readonly node: QueueNode;
  readonly entitled: boolean;
  /** {@link filledPart} of an entitled one, {@link borrowedShare} of any other. */
  readonly rank: number;
  /** What it adds above. */
  readonly more: Amounts;
}

/**
 * Who is tried next, one by one, from the organisation down: first queues that stay within their nominal amount, the least filled one first;
 * then those that borrow, the one with the smallest share first (progressive filling, as in DRF); among equals the oldest submission. Within a
 * queue the order is that of {@link inQueueOrder}. Each unit comes once.
 */
export class FairOrder<Unit extends FairUnit> {
  readonly #tree: QueueTree;
  readonly #now: EpochMs;
  /** By queue, the first at the end. */
  readonly #waiting: ReadonlyMap<QueueNode, Unit[]>;
  readonly #firsts = new Map<QueueNode, Candidate<Unit> | undefined>();
  readonly #started: TimedAmounts[] = [];
  readonly #holds: HeldAmount[] = [];

  /** `tree` is charged with what runs; {@link start} charges what starts. */
  constructor(tree: QueueTree, units: readonly Unit[], now: EpochMs) {
    this.#tree = tree;
    this.#now = now;
    const byLeaf = Map.groupBy(units, ({ queue }) => tree.pathOf(queue)[0]);
    this.#waiting = new Map(
      [...byLeaf].map(([leaf, here]) => [leaf, here.toSorted((a, b) => inQueueOrder(b, a, now))]),
    );
  }

  /** The next one, which will not come again; undefined when all came. */
  next(): FairTurn<Unit> | undefined {
    const found = this.#firstBelow(this.#tree.root);
    if (found === undefined) return undefined;
    const { unit, entitled } = found;
    const path = this.#tree.pathOf(unit.queue);
    this.#waiting.get(path[0])?.pop();
    this.#forget(unit);
    const lacks = this.#tree.lacks(unit.queue, unit.amounts);
    const held = lacks.length === 0 && this.#holds.some((hold) => !mayPass(hold, this.#timed(unit)));
    return { unit, lacks: held ? ['held'] : lacks, entitled };
  }

  /** Notes that a unit started. */
  start(unit: Unit): void {
    const timed = this.#timed(unit);
    this.#tree.charge(unit.queue, unit.amounts);
    this.#forget(unit);
    this.#started.push(timed);
    for (const hold of this.#holds) notePassed(hold, timed);
  }

  /**
   * Keeps amounts for a unit that lacks them, so that none that comes after it makes it start later; the first 16 of them. `running`: what ran
   * before the first turn. Gives what is kept; undefined when nothing is.
   */
  hold(unit: Unit, running: readonly TimedAmounts[]): HeldAmount | undefined {
    if (this.#holds.length === MOST_HELD) return undefined;
    const hold = holdAmount(this.#tree, unit, { running: [...running, ...this.#started], now: this.#now });
    if (hold !== undefined) this.#holds.push(hold);
    return hold;
  }

  #firstBelow(node: QueueNode): Candidate<Unit> | undefined {
    let first: Candidate<Unit> | undefined;
    for (const child of node.children) {
      const candidate = this.#firstOf(child);
      if (candidate !== undefined && (first === undefined || comesBefore(candidate, first))) first = candidate;
    }
    return first;
  }

  /** Kept until something in the queue changes. */
  #firstOf(node: QueueNode): Candidate<Unit> | undefined {
    const kept = this.#firsts.get(node);
    if (kept !== undefined || this.#firsts.has(node)) return kept;
    const here = this.#waiting.get(node)?.at(-1);
    const below = here === undefined ? this.#firstBelow(node) : { unit: here, more: here.amounts, entitled: false };
    const first = below === undefined ? undefined : this.#candidate(node, below);
    this.#firsts.set(node, first);
    return first;
  }

  #candidate(
    node: QueueNode,
    { unit, more, entitled: below }: Pick<Candidate<Unit>, 'unit' | 'more' | 'entitled'>,
  ): Candidate<Unit> {
    // Who is within an amount of its own is so in every queue above: their amounts are made of it.
    const entitled = below || isWithin(node, more, guaranteed(this.#tree, unit.amounts));
    const rank = entitled ? filledPart(this.#tree, node) : borrowedShare(this.#tree, node);
    return { unit, node, entitled, rank, more: passedUp(node, more) };
  }

  #forget({ queue }: Unit): void {
    for (const node of this.#tree.pathOf(queue)) this.#firsts.delete(node);
  }

  #timed({ queue, amounts, maxDurationMs }: Unit): TimedAmounts {
    return { queue, amounts, endsBy: this.#now + maxDurationMs };
  }
}

function comesBefore<Unit extends FairUnit>(a: Candidate<Unit>, b: Candidate<Unit>): boolean {
  if (a.entitled !== b.entitled) return a.entitled;
  if (a.rank !== b.rank) return a.rank < b.rank;
  return (
    a.unit.submittedAt < b.unit.submittedAt || (a.unit.submittedAt === b.unit.submittedAt && a.unit.job < b.unit.job)
  );
}
