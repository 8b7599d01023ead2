import { RESOURCES } from './amounts.ts';
import { comesFirst, mayStop, type Claim, type Stoppable } from './may-stop.ts';
import type { QueueTree } from './queue-tree.ts';
import { borrowedShare } from './share.ts';

/** Up to so many jobs the fewest are looked for; where more must stop, there may be fewer. */
const MOST_SEARCHED = 8;
/** The most that stop for one claim. */
const MOST_STOPPED = 64;
/** So often it is asked whether a job may be stopped before the fewest are looked for no more. */
const MOST_LOOKS = 2_000;

/** Whether machines have room for the claim once these have stopped. */
export type EnoughRoom = (stopped: readonly Stoppable[]) => boolean;

/**
 * The fewest of `running` after whose end a claim finds its amounts, and `enough` says that it finds its room; one after the other, each may be
 * told to stop ({@link mayStop}) as things are when those before it have. Among as few: jobs of the queue with the largest share, then whose
 * highest priority is lowest, then whose sum is, then the smallest amounts, then who started last. Those alike in queue, priority and amounts count as equal for
 * `enough`. Above eight, or after 2,000 looks, a set of which none is in vain, but there may be a smaller one. Empty: nobody has to stop.
 * Undefined: these are not enough. The tree is left as it was.
 */
export function giveBack(
  tree: QueueTree,
  claim: Claim,
  running: readonly Stoppable[],
  enough: EnoughRoom = () => true,
): readonly Stoppable[] | undefined {
  const search = new Search(tree, claim, { running, enough });
  if (search.isEnough([])) return [];
  return search.fewest() ?? search.one();
}

/** Some of those that run, by their places. */
type Some = readonly number[];

class Search {
  readonly #tree: QueueTree;
  readonly #claim: Claim;
  readonly #running: readonly Stoppable[];
  readonly #enough: EnoughRoom;
  readonly #kinds: readonly string[];
  readonly #shares: readonly number[];
  #looks = MOST_LOOKS;

  constructor(
    tree: QueueTree,
    claim: Claim,
    { running, enough }: { readonly running: readonly Stoppable[]; readonly enough: EnoughRoom },
  ) {
    this.#tree = tree;
    this.#claim = claim;
    this.#enough = enough;
    this.#running = running.toSorted((a, b) => shareOf(tree, b) - shareOf(tree, a) || (comesFirst(a, b) ? -1 : 1));
    this.#kinds = this.#running.map(({ queue, priority, amounts }) =>
      [queue, priority, ...RESOURCES.map((resource) => amounts[resource])].join(),
    );
    this.#shares = this.#running.map((one) => shareOf(tree, one));
  }

  isEnough(set: Some): boolean {
    const stopped = this.#jobs(set);
    const { queue, amounts } = this.#claim;
    return this.#without(stopped, () => this.#tree.lacks(queue, amounts).length === 0) && this.#enough(stopped);
  }

  /** Set by set, the smaller ones first: every set that can be stopped one after the other is met. */
  fewest(): readonly Stoppable[] | undefined {
    let sets: readonly Some[] = [[]];
    for (let count = 1; count <= MOST_SEARCHED && sets.length > 0; count += 1) {
      const larger = new Map<string, Some>();
      for (const set of sets) {
        for (const next of this.#next(set)) {
          const more = [...set, next].toSorted((a, b) => a - b);
          larger.set(more.join(), more);
        }
      }
      sets = [...larger.values()];
      const [found] = sets.filter((set) => this.isEnough(set)).toSorted((a, b) => this.#compare(a, b));
      if (found !== undefined) return this.#jobs(found);
      if (this.#looks <= 0) return undefined;
    }
    return undefined;
  }

  /** One after the other until it is enough, then without those that were in vain. */
  one(): readonly Stoppable[] | undefined {
    let set: Some = [];
    while (!this.isEnough(set)) {
      this.#looks = this.#running.length;
      const [next] = this.#next(set);
      if (next === undefined || set.length === MOST_STOPPED) return undefined;
      set = [...set, next];
    }
    for (const index of set.toReversed()) {
      const fewer = set.filter((other) => other !== index);
      if (this.isEnough(fewer) && this.#isInOrder(fewer)) set = fewer;
    }
    return this.#jobs(set);
  }

  /** Who may stop once these have, of each kind the first. */
  #next(set: Some): number[] {
    if (this.#looks <= 0) return [];
    const kinds = new Map<string, number>();
    for (const [index, kind] of this.#kinds.entries())
      if (!kinds.has(kind) && !set.includes(index)) kinds.set(kind, index);
    const left = this.#running.filter((_, index) => !set.includes(index));
    return this.#without(this.#jobs(set), () =>
      [...kinds.values()].filter((index) => {
        this.#looks -= 1;
        const one = this.#running[index];
        return one !== undefined && this.#looks >= 0 && mayStop(this.#tree, this.#claim, one, left) !== undefined;
      }),
    );
  }

  #isInOrder(set: Some): boolean {
    return set.every((index, at) => {
      const [one] = this.#jobs([index]);
      const before = this.#jobs(set.slice(0, at));
      const left = this.#running.filter((each) => !before.includes(each));
      return (
        one !== undefined && this.#without(before, () => mayStop(this.#tree, this.#claim, one, left) !== undefined)
      );
    });
  }

  #without<Result>(stopped: readonly Stoppable[], look: () => Result): Result {
    for (const { queue, amounts } of stopped) this.#tree.release(queue, amounts);
    const result = look();
    for (const { queue, amounts } of stopped) this.#tree.charge(queue, amounts);
    return result;
  }

  #jobs(set: Some): Stoppable[] {
    return set.flatMap((index) => this.#running[index] ?? []);
  }

  #compare(a: Some, b: Some): number {
    const [one, other] = [this.#rank(a), this.#rank(b)];
    return one.reduce((order, rank, at) => order || rank - (other[at] ?? 0), 0) || compareSets(a, b);
  }

  #rank(set: Some): number[] {
    const jobs = this.#jobs(set);
    const priorities = jobs.map(({ priority }) => priority);
    const sizes = jobs.map(({ amounts }) =>
      Math.max(
        ...RESOURCES.map((resource) => (amounts[resource] > 0 ? amounts[resource] / this.#tree.capacity[resource] : 0)),
      ),
    );
    return [
      -Math.min(...set.map((index) => this.#shares[index] ?? 0)),
      Math.max(...priorities),
      sumOf(priorities),
      sumOf(sizes),
    ];
  }
}

function shareOf(tree: QueueTree, { queue }: Stoppable): number {
  return borrowedShare(tree, tree.pathOf(queue)[0]);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

function compareSets(a: Some, b: Some): number {
  return a.reduce((order, index, at) => order || index - (b[at] ?? 0), 0);
}
