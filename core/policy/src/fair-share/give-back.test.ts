import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { START } from '../burst/burst.fixture.ts';
import { RESOURCES } from './amounts.ts';
import { NaiveShare } from './brute-force.fixture.ts';
import {
  amounts,
  at,
  JOBS,
  nominalSum,
  queue,
  QUEUES,
  someJob,
  someTerms,
  termsOf,
  unitsOf,
} from './fair-share.fixture.ts';
import { giveBack } from './give-back.ts';
import { mayStop, type Claim, type Stoppable } from './may-stop.ts';
import { QueueTree } from './queue-tree.ts';
import { borrowedShare, guaranteed, isWithin } from './share.ts';

const [a, b, c, d] = [at(QUEUES, 0), at(QUEUES, 1), at(QUEUES, 2), at(QUEUES, 3)];

type Rank = readonly number[];

/** What a set is chosen by, from a tree in which all still run. */
function rankOf(tree: QueueTree, set: readonly Stoppable[]): Rank {
  const part = (one: Stoppable): number =>
    Math.max(...RESOURCES.map((resource) => one.amounts[resource] / (tree.capacity[resource] || Infinity)));
  return [
    set.length,
    -Math.min(...set.map((one) => borrowedShare(tree, tree.pathOf(one.queue)[0]))),
    Math.max(...set.map(({ priority }) => priority)),
    set.reduce((sum, { priority }) => sum + priority, 0),
    set.reduce((sum, one) => sum + part(one), 0),
  ];
}

function isBetter(one: Rank, other: Rank): boolean {
  for (const [index, rank] of one.entries())
    if (Math.abs(rank - at(other, index)) > 1e-9) return rank < at(other, index);
  return false;
}

/** Every way of stopping one after the other: the best rank of those after which the claim has its amounts. */
function bestOfAll(naive: NaiveShare, tree: QueueTree, running: readonly Stoppable[], claim: Claim): Rank | undefined {
  let best: Rank | undefined;
  const visit = (left: readonly Stoppable[]): void => {
    const stopped = running.filter((one) => !left.includes(one));
    if (stopped.length > 0 && naive.lacks(left, claim.queue, claim.amounts).length === 0) {
      const rank = rankOf(tree, stopped);
      if (best === undefined || isBetter(rank, best)) best = rank;
      return;
    }
    for (const one of left) if (naive.mayStop(left, claim, one)) visit(left.filter((other) => other !== one));
  };
  visit(running);
  return best;
}

const capacities = fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 2, max: 12 }));

test('the fewest stop, and of these the ones that the rules name, as trying every order of every set finds', () => {
  const seen = { found: 0, many: 0, none: 0, shares: 0 };
  fc.assert(
    fc.property(
      someTerms,
      fc.array(
        someJob.map((one) => ({ ...one, cpus: 1 + (one.cpus % 2), memory: one.memory % 2 })),
        { maxLength: 6 },
      ),
      someJob.map((one) => ({ ...one, cpus: one.cpus + 1, priority: one.priority + 1 })),
      fc.tuple(capacities, fc.boolean()),
      (terms, jobs, claimed, [[cpus, memory], rebalance]) => {
        const capacity = amounts(cpus, memory);
        const naive = new NaiveShare(terms, capacity);
        const tree = new QueueTree(terms, capacity);
        const units = unitsOf(terms, [...jobs, claimed], START);
        const claim: Claim = { ...at(units.splice(jobs.length), 0), rebalance };
        const running: Stoppable[] = [];
        for (const unit of units) {
          if (tree.lacks(unit.queue, unit.amounts).length > 0) continue;
          tree.charge(unit.queue, unit.amounts);
          running.push(unit);
        }
        if (tree.lacks(claim.queue, claim.amounts).length === 0) return;
        for (const one of running)
          assert.equal(mayStop(tree, claim, one, running) !== undefined, naive.mayStop(running, claim, one));
        const before = tree.leaves().map(({ inside }) => ({ ...inside }));
        const stopped = giveBack(tree, claim, running);
        assert.deepEqual(
          tree.leaves().map(({ inside }) => inside),
          before,
        );
        const best = bestOfAll(naive, tree, running, claim);
        const rank = stopped === undefined ? undefined : rankOf(tree, stopped);
        assert.equal(rank === undefined, best === undefined, JSON.stringify(terms));
        if (rank === undefined || best === undefined) return void (seen.none += 1);
        assert.ok(!isBetter(best, rank), `${best.join(' ')} before ${rank.join(' ')}`);
        seen.found += 1;
        if (rank[0] !== 1) seen.many += 1;
        if (rebalance) seen.shares += 1;
      },
    ),
    { numRuns: 4_000 },
  );
  assert.ok(seen.found > 200 && seen.many > 60 && seen.none > 200 && seen.shares > 100, JSON.stringify(seen));
});

test('who stays within its own amount gets it back from those who borrow it, whatever runs', () => {
  const seen = { back: 0, free: 0 };
  fc.assert(
    fc.property(someTerms, fc.array(someJob, { maxLength: 20 }), someJob, fc.nat(3), (terms, jobs, claimed, slack) => {
      const sum = nominalSum(terms);
      const capacity = amounts(sum.cpuMilli + slack, sum.memoryBytes + slack);
      const tree = new QueueTree(terms, capacity);
      const units = unitsOf(terms, [...jobs, claimed], START);
      const claim: Claim = { ...at(units.splice(jobs.length), 0), rebalance: false };
      const running = units.filter((unit) => {
        const starts = tree.lacks(unit.queue, unit.amounts).length === 0;
        if (starts) tree.charge(unit.queue, unit.amounts);
        return starts;
      });
      const [own] = tree.pathOf(claim.queue);
      if (!isWithin(own, claim.amounts, guaranteed(tree, claim.amounts))) return;
      const stopped = giveBack(tree, claim, running);
      assert.ok(stopped !== undefined, JSON.stringify({ terms, jobs, claim }));
      seen[stopped.length > 0 ? 'back' : 'free'] += 1;
      for (const one of stopped) tree.release(one.queue, one.amounts);
      assert.deepEqual(tree.lacks(claim.queue, claim.amounts), []);
    }),
    { numRuns: 6_000 },
  );
  assert.ok(seen.back > 100 && seen.free > 200, JSON.stringify(seen));
});

let next = 0;
/** A job that runs, with an id of its own. */
function runs(tree: QueueTree, id: typeof a | undefined, cpus: number, priority = 50): Stoppable {
  next += 1;
  tree.charge(id, amounts(cpus));
  return { job: at(JOBS, next % 256), queue: id, amounts: amounts(cpus), priority, startedAt: next };
}
const claims = (id: typeof a, cpus: number, more: Partial<Claim> = {}): Claim => ({
  queue: id,
  amounts: amounts(cpus),
  priority: 50,
  rebalance: false,
  ...more,
});

test('nobody stops who is within its own amount, or whose group is, whatever the priorities', () => {
  const terms = termsOf([queue(0, 4), queue(1, 6), queue(2, 3, { parent: b }), queue(3, 3, { parent: b })]);
  const tree = new QueueTree(terms, amounts(10));
  const running = [runs(tree, c, 5, 0), runs(tree, d, 1, 0), runs(tree, a, 4, 0)];
  assert.equal(giveBack(tree, claims(a, 1, { priority: 100 }), running.slice(0, 2)), undefined, 'a would borrow');
  assert.deepEqual(giveBack(tree, claims(d, 2), running), [at(running, 0)], 'c borrows from d, not from a');
});

test('a job that fits its group beside those that come before it does not stop, though one would be enough', () => {
  const tree = new QueueTree(termsOf([queue(0, 4), queue(1, 3, { parent: a }), queue(2, 2)]), amounts(7));
  const urgent = runs(tree, b, 4, 1);
  const running = [urgent, runs(tree, b, 1, 0), runs(tree, undefined, 1), runs(tree, undefined, 1)];
  const stopped = giveBack(tree, claims(c, 2), running);
  assert.ok(stopped?.length === 2 && !stopped.includes(urgent), JSON.stringify(stopped));
});

test('within a queue the lowest priority stops, and none of equal priority', () => {
  const tree = new QueueTree(termsOf([queue(0, 4), queue(1, 4)]), amounts(8));
  const running = [runs(tree, a, 2, 50), runs(tree, a, 2, 20), runs(tree, b, 4, 0)];
  assert.equal(giveBack(tree, claims(a, 2, { priority: 20 }), running), undefined);
  assert.deepEqual(giveBack(tree, claims(a, 2, { priority: 60 }), running), [at(running, 1)]);
});

test('shares are brought to their weights only where that is asked for, and it comes to an end', () => {
  const tree = new QueueTree(termsOf([queue(0, 0, { weight: 2 }), queue(1, 0)]), amounts(30));
  let running = Array.from({ length: 30 }, () => runs(tree, b, 1));
  assert.equal(giveBack(tree, claims(a, 1), running), undefined);
  let rounds = 0;
  for (let stopped; (stopped = giveBack(tree, claims(a, 1, { rebalance: true }), running)) !== undefined; rounds += 1) {
    assert.equal(stopped.length, 1);
    for (const one of stopped) tree.release(one.queue, one.amounts);
    running = [...running.filter((one) => !stopped.includes(one)), runs(tree, a, 1)];
  }
  assert.equal(rounds, 20);
  assert.equal(giveBack(tree, claims(b, 1, { rebalance: true }), running), undefined, 'nor back again');
});

test('where only a machine lacks room, those that borrow there stop until it is enough', () => {
  const tree = new QueueTree(termsOf([queue(0, 20), queue(1, 5)]), amounts(30));
  const running = [runs(tree, b, 3), runs(tree, b, 3), runs(tree, b, 3)];
  const enough = (stopped: readonly Stoppable[]): boolean => stopped.length >= 2;
  assert.equal(giveBack(tree, claims(a, 6), running, enough)?.length, 2);
  assert.equal(
    giveBack(tree, claims(a, 6), running, (stopped) => stopped.length >= 3),
    undefined,
    'within its amount',
  );
});

test('with many small borrowers an amount comes back too, and none stops in vain', () => {
  const small = (index: number): [number, number] => [1 + (index % 9 === 0 ? 1 : 0), index];
  // In the second the small ones come first, but are not enough, and the large one makes most of them needless.
  const cases = [
    { sizes: Array.from({ length: 45 }, (_, index) => small(index)), wanted: 32, fewest: 20 },
    {
      sizes: [...Array.from({ length: 30 }, (_, index): [number, number] => [1, index]), [20, 99] as const],
      wanted: 35,
      fewest: 15,
    },
  ];
  for (const { sizes, wanted, fewest } of cases) {
    const tree = new QueueTree(termsOf([queue(0, 40), queue(1, 10)]), amounts(50));
    const running = sizes.map(([cpus, priority]) => runs(tree, b, cpus, priority));
    const stopped = giveBack(tree, claims(a, wanted), running);
    assert.ok(stopped !== undefined && stopped.length > fewest, String(stopped?.length));
    for (const kept of stopped) {
      for (const one of stopped) if (one !== kept) tree.release(one.queue, one.amounts);
      assert.notDeepEqual(tree.lacks(a, amounts(wanted)), []);
      for (const one of stopped) if (one !== kept) tree.charge(one.queue, one.amounts);
    }
  }
});
