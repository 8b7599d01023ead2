import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { START } from '../burst/burst.fixture.ts';
import { NaiveShare } from './brute-force.fixture.ts';
import { amounts, at, JOBS, queue, QUEUES, someJob, someTerms, termsOf, unitsOf } from './fair-share.fixture.ts';
import { FairOrder, type FairUnit } from './fair-order.ts';
import type { FairShareTerms } from './queue-terms.ts';
import { QueueTree } from './queue-tree.ts';
import { borrowedShare } from './share.ts';

const [a, b, c] = [at(QUEUES, 0), at(QUEUES, 1), at(QUEUES, 2)];

test('who is next is who the rules name when all is worked out anew each time', () => {
  const seen = { started: 0, lacking: 0, entitled: 0 };
  fc.assert(
    fc.property(
      someTerms,
      fc.array(someJob, { maxLength: 8 }),
      fc.array(someJob, { maxLength: 4 }),
      fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 })),
      (terms, jobs, before, [cpus, memory]) => {
        const capacity = amounts(cpus, memory);
        const naive = new NaiveShare(terms, capacity);
        const tree = new QueueTree(terms, capacity);
        const units = unitsOf(terms, [...jobs, ...before], START);
        const running: FairUnit[] = units.splice(jobs.length);
        for (const one of running) tree.charge(one.queue, one.amounts);
        const order = new FairOrder(tree, units, START);
        let left = units;
        for (let times = 0; times <= units.length; times += 1) {
          const turn = order.next();
          assert.equal(turn?.unit, naive.first(running, left, START), JSON.stringify(terms));
          if (turn === undefined) break;
          const { unit, lacks, entitled } = turn;
          left = left.filter((one) => one !== unit);
          assert.deepEqual(new Set(lacks), new Set(naive.lacks(running, unit.queue, unit.amounts)));
          if (entitled) seen.entitled += 1;
          if (lacks.length > 0) seen.lacking += 1;
          // Every third finds no machine.
          if (lacks.length > 0 || left.length % 3 === 2) continue;
          order.start(unit);
          running.push(unit);
          seen.started += 1;
        }
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(seen.started > 1_000 && seen.lacking > 1_000 && seen.entitled > 500, JSON.stringify(seen));
});

/** Starts what may, in order, until nothing more does; what runs of each queue. */
function fill(terms: FairShareTerms, units: readonly FairUnit[], capacity: ReturnType<typeof amounts>): QueueTree {
  const tree = new QueueTree(terms, capacity);
  const order = new FairOrder(tree, units, START);
  for (let turn = order.next(); turn !== undefined; turn = order.next())
    if (turn.lacks.length === 0) order.start(turn.unit);
  return tree;
}

/** So many jobs of one size in a queue. */
function backlog(index: number, count: number, size: ReturnType<typeof amounts>, more: Partial<FairUnit> = {}) {
  const [job, id] = [at(JOBS, index), at(QUEUES, index)];
  return Array.from({ length: count }, (_, nth) => ({
    job: `${job}${nth}` as FairUnit['job'],
    queue: id,
    amounts: size,
    priority: 50,
    submittedAt: START,
    maxDurationMs: 60_000,
    ...more,
  }));
}

const cpusOf = (tree: QueueTree, id: (typeof QUEUES)[number]): number => tree.pathOf(id)[0].inside.cpuMilli;

test('shares come to weights, on every level, to within one job', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 50, max: 300 }), fc.nat(5), (drawn, cpus, many) => {
      // The first two are a group that counts as one queue.
      const queues = drawn.map((weight, index) => queue(index, 0, { weight }));
      const group = queue(9, 0, { weight: 4 });
      const terms = termsOf([
        ...queues.map((one, index) => (index < 2 ? { ...one, parent: group.queue } : one)),
        group,
      ]);
      const units = drawn.flatMap((_, index) => backlog(index, index === many ? 900 : 400, amounts(1)));
      const tree = fill(terms, units, amounts(cpus));
      const top = tree.root.children.filter(({ inside }) => inside.cpuMilli > 0);
      for (const level of [top, at(tree.pathOf(a), 1).children]) {
        const shares = level.map((node) => borrowedShare(tree, node));
        const oneJob = 1 / (cpus * Math.min(...level.map(({ weight }) => weight)));
        assert.ok(Math.max(...shares) - Math.min(...shares) <= oneJob * (1 + 1e-9), shares.join(' '));
      }
      assert.equal(tree.root.inside.cpuMilli, cpus, 'nothing is idle');
    }),
    { numRuns: 60 },
  );
});

test('the example of the DRF paper: three tasks of one user, two of the other', () => {
  // 9 CPUs, 18 GB; A asks for 1 CPU and 4 GB, B for 3 CPUs and 1 GB.
  const terms = termsOf([
    { queue: a, weight: 1, nominal: {} },
    { queue: b, weight: 1, nominal: {} },
  ]);
  const tree = fill(terms, [...backlog(0, 9, amounts(1, 4)), ...backlog(1, 9, amounts(3, 1))], amounts(9, 18));
  assert.deepEqual([cpusOf(tree, a), cpusOf(tree, b)], [3, 6]);
});

test('who is within its own amount goes before all who borrow, however small their share', () => {
  // b is within its amount, but its group borrows because of c; the other group has hardly borrowed anything.
  const terms = termsOf([
    queue(0, 4),
    queue(1, 2, { parent: a }),
    queue(2, 2, { parent: a }),
    queue(3, 4, { weight: 9 }),
  ]);
  const tree = new QueueTree(terms, amounts(12));
  tree.charge(c, amounts(6));
  tree.charge(at(QUEUES, 3), amounts(4));
  const order = new FairOrder(tree, [...backlog(3, 1, amounts(1)), ...backlog(1, 1, amounts(2))], START);
  const first = order.next();
  assert.deepEqual([first?.unit.queue, first?.entitled], [b, true]);
  assert.deepEqual([order.next()?.entitled], [false]);
});

test('priority and waiting act inside a queue, and a gang counts whole', () => {
  const terms = termsOf([queue(0, 0), queue(1, 0)]);
  const urgent = backlog(0, 2, amounts(2), { priority: 100 });
  const [old] = backlog(0, 1, amounts(2), { priority: 0, submittedAt: START - 101 * 60_000 });
  const gang = { ...at(backlog(1, 1, amounts(5), { priority: 0 }), 0) };
  const tree = new QueueTree(terms, amounts(10));
  const order = new FairOrder(tree, [...urgent, { ...at([old], 0), job: at(JOBS, 77) } as FairUnit, gang], START);
  const came: string[] = [];
  for (let turn = order.next(); turn !== undefined; turn = order.next()) {
    came.push(turn.unit.job);
    if (turn.lacks.length === 0) order.start(turn.unit);
  }
  assert.deepEqual(came[0], at(JOBS, 77), 'it has waited for 100 minutes');
  assert.equal(came[1], gang.job, 'the other queue has nothing yet, whatever it signed');
  assert.equal(cpusOf(tree, b), 5);
  assert.equal(cpusOf(tree, a), 4, 'all of it or nothing');
});
