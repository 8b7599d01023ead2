import { RESOURCES, type Amounts, type Resource } from './amounts.ts';
import type { Claim, Stoppable } from './may-stop.ts';
import type { FairUnit } from './fair-order.ts';
import type { FairShareTerms, QueueId, QueueTerms } from './queue-terms.ts';
import { inQueueOrder } from '../queue/order.ts';
import { epochMs } from '@ringfence/base';

/** What runs where. */
export type Running = readonly Pick<Stoppable, 'queue' | 'amounts'>[];
type Place = QueueId | 'rest' | 'organisation';

/** A fraction of which nothing is lost; denominators above 0. */
type Fraction = readonly [bigint, bigint];
const less = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d < c * b;
const larger = (a: Fraction, b: Fraction): Fraction => (less(a, b) ? b : a);

/** What stays when of the victim's queue all have stopped that stop before it. */
function withoutWeaker(running: readonly Stoppable[], victim: Stoppable): readonly Stoppable[] {
  const ofItsQueue = running
    .filter(({ queue }) => queue === victim.queue)
    .toSorted((a, b) => b.priority - a.priority || a.startedAt - b.startedAt || (a.job < b.job ? -1 : 1));
  const weaker = ofItsQueue.slice(ofItsQueue.indexOf(victim) + 1);
  return running.filter((one) => !weaker.includes(one));
}

/** The rules of fair share worked out anew from the list of what runs, each time; slow, and without a tree that changes. */
export class NaiveShare {
  readonly #terms: FairShareTerms;
  readonly #capacity: Amounts;

  constructor(terms: FairShareTerms, capacity: Amounts) {
    this.#terms = terms;
    this.#capacity = capacity;
  }

  lacks(running: Running, queue: QueueId | undefined, amounts: Amounts): Resource[] {
    const after = [...running, { queue, amounts }];
    return RESOURCES.filter((resource) => {
      if (amounts[resource] === 0) return false;
      const used = after.reduce((sum, one) => sum + one.amounts[resource], 0);
      if (used > this.#capacity[resource]) return true;
      return this.#path(queue).some((place) => {
        const [was, is] = [this.inside(running, place, resource), this.inside(after, place, resource)];
        return is > was && is > this.#limit(place, resource);
      });
    });
  }

  inside(running: Running, place: Place, resource: Resource): number {
    const below = this.#below(place);
    if (below.length > 0)
      return below.reduce(
        (sum, one) => sum + Math.max(this.inside(running, one, resource), this.#kept(one, resource)),
        0,
      );
    return running
      .filter(({ queue }) => (queue ?? 'rest') === place)
      .reduce((sum, { amounts }) => sum + amounts[resource], 0);
  }

  /** The first by the rules: from the organisation down, among those that each queue puts forward. */
  first<Unit extends FairUnit>(running: Running, units: readonly Unit[], now: number): Unit | undefined {
    return this.#firstIn(running, units, { place: 'organisation', now });
  }

  mayStop(running: readonly Stoppable[], claim: Claim, victim: Stoppable): boolean {
    const lacks = this.lacks(running, claim.queue, claim.amounts);
    const asked = RESOURCES.filter((resource) => claim.amounts[resource] > 0);
    const named = asked.filter((resource) => this.#isNamed(resource));
    const disputed = lacks.length > 0 ? lacks : named.length > 0 ? named : asked;
    if (claim.queue === victim.queue)
      return victim.priority < claim.priority && disputed.some((resource) => victim.amounts[resource] > 0);
    const [mine, theirs] = [this.#path(claim.queue), this.#path(victim.queue)];
    const ours = mine.filter((place) => !theirs.includes(place));
    const its = theirs.filter((place) => !mine.includes(place));
    const stronger = withoutWeaker(running, victim);
    const borrows = disputed.some(
      (resource) =>
        victim.amounts[resource] > 0 &&
        its.every((place) => this.inside(stronger, place, resource) > this.nominal(place, resource)),
    );
    const [mySide, theirSide] = [ours.at(-1), its.at(-1)];
    if (!borrows || mySide === undefined || theirSide === undefined) return false;
    const withIt = [...running, claim];
    const stays = (place: Place, resources: readonly Resource[]): boolean =>
      resources.length > 0 &&
      resources.every((resource) => this.inside(withIt, place, resource) <= this.nominal(place, resource));
    if (stays(mySide, disputed) && ours.some((place) => stays(place, named))) return true;
    if (!claim.rebalance) return false;
    const left = this.#share(
      running.filter((one) => one !== victim),
      theirSide,
    );
    return !less(left, this.#share(withIt, mySide)) && less(left, this.#share(running, theirSide));
  }

  nominal(place: Place, resource: Resource): number {
    if (place === 'organisation') return this.#capacity[resource];
    const stated = this.#find(place)?.nominal[resource];
    if (stated !== undefined) return stated;
    return this.#below(place).reduce((sum, one) => sum + this.nominal(one, resource), 0);
  }

  #firstIn<Unit extends FairUnit>(
    running: Running,
    units: readonly Unit[],
    { place, now }: { readonly place: Place; readonly now: number },
  ): Unit | undefined {
    const below = this.#below(place);
    if (below.length === 0)
      return units
        .filter(({ queue }) => (queue ?? 'rest') === place)
        .toSorted((a, b) => inQueueOrder(a, b, epochMs(now)))[0];
    const firsts = below.flatMap((child) => {
      const unit = this.#firstIn(running, units, { place: child, now });
      return unit === undefined ? [] : [{ unit, child, entitled: this.#isEntitled(running, unit, child) }];
    });
    const ranked = firsts.map((one) => ({
      ...one,
      rank: one.entitled ? this.#filled(running, one.child) : this.#share(running, one.child),
    }));
    return ranked.toSorted((a, b) => {
      if (a.entitled !== b.entitled) return a.entitled ? -1 : 1;
      if (less(a.rank, b.rank) || less(b.rank, a.rank)) return less(a.rank, b.rank) ? -1 : 1;
      return a.unit.submittedAt - b.unit.submittedAt || (a.unit.job < b.unit.job ? -1 : 1);
    })[0]?.unit;
  }

  /** Some queue from the unit's own up to `place` is within its nominal amount with it. */
  #isEntitled(running: Running, { queue, amounts }: FairUnit, place: Place): boolean {
    const asked = RESOURCES.filter((resource) => amounts[resource] > 0 && this.#isNamed(resource));
    const path = this.#path(queue);
    const withIt = [...running, { queue, amounts }];
    return (
      asked.length > 0 &&
      path
        .slice(0, path.indexOf(place) + 1)
        .some((one) => asked.every((resource) => this.inside(withIt, one, resource) <= this.nominal(one, resource)))
    );
  }

  #share(running: Running, place: Place): Fraction {
    const weight = BigInt(this.#find(place)?.weight ?? 1);
    return RESOURCES.reduce<Fraction>(
      (share, resource) => {
        const over = this.inside(running, place, resource) - this.nominal(place, resource);
        return over <= 0 ? share : larger(share, [BigInt(over), BigInt(this.#capacity[resource]) * weight]);
      },
      [0n, 1n],
    );
  }

  #filled(running: Running, place: Place): Fraction {
    return RESOURCES.reduce<Fraction>(
      (part, resource) => {
        const has = this.nominal(place, resource);
        return has === 0 ? part : larger(part, [BigInt(this.inside(running, place, resource)), BigInt(has)]);
      },
      [0n, 1n],
    );
  }

  #kept(place: Place, resource: Resource): number {
    const lending = this.#find(place)?.lending?.[resource];
    return lending === undefined ? 0 : this.nominal(place, resource) - lending;
  }

  #limit(place: Place, resource: Resource): number {
    if (place === 'organisation') return this.#capacity[resource];
    return this.nominal(place, resource) + (this.#find(place)?.borrowing?.[resource] ?? Infinity);
  }

  #isNamed(resource: Resource): boolean {
    return this.#terms.queues.some(({ nominal }) => nominal[resource] !== undefined);
  }

  #path(queue: QueueId | undefined): Place[] {
    const path: Place[] = [queue ?? 'rest'];
    for (let one = this.#find(queue ?? 'rest'); one?.parent !== undefined; one = this.#find(one.parent))
      path.push(one.parent);
    return [...path, 'organisation'];
  }

  #below(place: Place): Place[] {
    const parent = place === 'organisation' ? undefined : place;
    const below: Place[] = this.#terms.queues.filter((one) => one.parent === parent).map(({ queue }) => queue);
    return place === 'organisation' ? [...below, 'rest'] : place === 'rest' ? [] : below;
  }

  #find(place: Place): QueueTerms | undefined {
    return this.#terms.queues.find(({ queue }) => queue === place);
  }
}
