import { RESOURCES, type Amounts, type Resource } from './amounts.ts';
import { nominalOf, queuesBelow, type FairShareTerms, type QueueId, type QueueTerms } from './queue-terms.ts';

/** A queue with what it has and what runs in it. Amounts are per resource. */
export interface QueueNode {
  /** Undefined for the organisation itself, and for the queue of jobs that name none. */
  readonly queue: QueueId | undefined;
  readonly parent: QueueNode | undefined;
  readonly children: readonly QueueNode[];
  readonly weight: number;
  readonly nominal: Amounts;
  /** Of `nominal`, what is lent to nobody. */
  readonly kept: Amounts;
  /** The most inside: `nominal` and what may be borrowed. */
  readonly limit: Amounts;
  /** What runs in it and, for each queue in it, what that keeps though it does not use it. */
  readonly inside: Amounts;
}

type Changing = { -readonly [Key in keyof QueueNode]: QueueNode[Key] } & {
  parent: Changing | undefined;
  children: Changing[];
  inside: Record<Resource, number>;
};

type Path = readonly [Changing, ...Changing[]];

/**
 * An organisation's queues, and what runs in each. A queue lends what it does not use of its nominal amount, as far as `lending` says, and uses
 * what others lend, as far as `borrowing` says (the quotas of Kueue's cohorts, over levels). What runs never exceeds `capacity`.
 */
export class QueueTree {
  readonly root: QueueNode;
  readonly capacity: Amounts;
  /** Resources of which some queue states an amount: only these can be guaranteed to anybody. */
  readonly named: ReadonlySet<Resource>;
  readonly #terms: FairShareTerms;
  /** Each queue that jobs can be in, and the queues above it. */
  readonly #paths = new Map<QueueId | undefined, Path>();
  readonly #root: Changing;
  readonly #rest: Path;
  readonly #used: Record<Resource, number> = { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 };

  /** A tree in which nothing runs; `capacity`: of all machines of the organisation together, free or not. */
  constructor(terms: FairShareTerms, capacity: Amounts) {
    this.#terms = terms;
    this.capacity = capacity;
    this.named = new Set(
      RESOURCES.filter((resource) => terms.queues.some(({ nominal }) => nominal[resource] !== undefined)),
    );
    this.#root = newNode({ queue: undefined, parent: undefined, weight: 1, nominal: capacity, limit: capacity });
    this.root = this.#root;
    const below = queuesBelow(terms.queues);
    this.#addBelow(this.#root, below, undefined);
    const rest = newNode({ queue: undefined, parent: this.#root, weight: 1 });
    this.#root.children.push(rest);
    this.#rest = [rest, this.#root];
    this.#paths.set(undefined, this.#rest);
    foldKept(this.#root);
  }

  /** The queue of a job, from itself up to the organisation. A job whose queue is gone, or has queues in it now, counts as one that names none. */
  pathOf(queue: QueueId | undefined): readonly [QueueNode, ...QueueNode[]] {
    return this.#paths.get(queue) ?? this.#rest;
  }

  /** All queues that jobs can be in. */
  leaves(): readonly QueueNode[] {
    return [...this.#paths.values()].map(([leaf]) => leaf);
  }

  /** What keeps `amounts` from starting in `queue` now: nothing, or the resources of which it or a queue above has no more to use. */
  lacks(queue: QueueId | undefined, amounts: Amounts): readonly Resource[] {
    const lacking = new Set(
      RESOURCES.filter(
        (resource) => amounts[resource] > 0 && this.#used[resource] + amounts[resource] > this.capacity[resource],
      ),
    );
    let more = amounts;
    for (const node of this.pathOf(queue)) {
      for (const resource of RESOURCES)
        if (more[resource] > 0 && node.inside[resource] + more[resource] > node.limit[resource]) lacking.add(resource);
      more = passedUp(node, more);
    }
    return [...lacking];
  }

  /** Notes that `amounts` run in `queue`: what runs is a fact, whether it should or not. */
  charge(queue: QueueId | undefined, amounts: Amounts): void {
    this.#change(queue, amounts);
  }

  /** Notes that `amounts` run no more. */
  release(queue: QueueId | undefined, amounts: Amounts): void {
    this.#change(queue, negative(amounts));
  }

  /** A tree of its own in which the same runs. */
  copy(): QueueTree {
    const tree = new QueueTree(this.#terms, this.capacity);
    for (const [queue, [leaf]] of this.#paths) tree.charge(queue, leaf.inside);
    return tree;
  }

  #change(queue: QueueId | undefined, amounts: Amounts): void {
    for (const resource of RESOURCES) this.#used[resource] += amounts[resource];
    let more = amounts;
    for (const node of this.#paths.get(queue) ?? this.#rest) {
      const up = passedUp(node, more);
      for (const resource of RESOURCES) node.inside[resource] += more[resource];
      more = up;
    }
  }

  #addBelow(parent: Changing, below: ReturnType<typeof queuesBelow>, queue: QueueId | undefined): void {
    for (const terms of below(queue)) {
      const node = newNode({ ...amountsOf(terms, below), queue: terms.queue, parent, weight: terms.weight });
      parent.children.push(node);
      this.#addBelow(node, below, terms.queue);
      if (node.children.length === 0) this.#paths.set(terms.queue, pathFrom(node));
    }
  }
}

/** What of `more` in a queue counts above it too: what it kept back counted there already. */
export function passedUp({ inside, kept }: QueueNode, more: Amounts): Amounts {
  return eachResource(
    (resource) =>
      Math.max(inside[resource] + more[resource], kept[resource]) - Math.max(inside[resource], kept[resource]),
  );
}

/** The same, less than nothing. */
export function negative(amounts: Amounts): Amounts {
  return eachResource((resource) => -amounts[resource]);
}

function eachResource(of: (resource: Resource) => number): Amounts {
  return { cpuMilli: of('cpuMilli'), memoryBytes: of('memoryBytes'), gpuMilli: of('gpuMilli') };
}

function newNode({
  queue,
  parent,
  weight,
  nominal = eachResource(() => 0),
  kept = eachResource(() => 0),
  limit = eachResource(() => Infinity),
}: Pick<Changing, 'queue' | 'parent' | 'weight'> & Partial<Pick<Changing, 'nominal' | 'kept' | 'limit'>>): Changing {
  return { queue, parent, weight, nominal, kept, limit, children: [], inside: { ...eachResource(() => 0) } };
}

function pathFrom(leaf: Changing): Path {
  const above: Changing[] = [];
  for (let node = leaf.parent; node !== undefined; node = node.parent) above.push(node);
  return [leaf, ...above];
}

function amountsOf(
  terms: QueueTerms,
  below: ReturnType<typeof queuesBelow>,
): Pick<Changing, 'nominal' | 'kept' | 'limit'> {
  const nominal = eachResource((resource) => nominalOf(terms, resource, below));
  return {
    nominal,
    kept: eachResource((resource) => nominal[resource] - (terms.lending?.[resource] ?? nominal[resource])),
    limit: eachResource((resource) => nominal[resource] + (terms.borrowing?.[resource] ?? Infinity)),
  };
}

/** Counts what queues keep in those above them, where nothing runs yet. */
function foldKept(node: Changing): Amounts {
  for (const child of node.children) {
    const counts = foldKept(child);
    for (const resource of RESOURCES) node.inside[resource] += counts[resource];
  }
  return eachResource((resource) => Math.max(node.inside[resource], node.kept[resource]));
}
