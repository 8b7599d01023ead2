import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import fc from 'fast-check';
import { START } from '../burst/burst.fixture.ts';
import { RESOURCES, type Amounts } from './amounts.ts';
import { FairOrder, type FairUnit } from './fair-order.ts';
import {
  amounts,
  at,
  JOBS,
  leavesOf,
  nominalSum,
  queue,
  QUEUES,
  someJob,
  someTerms,
  termsOf,
  unitsOf,
  type DrawnJob,
} from './fair-share.fixture.ts';
import { giveBack } from './give-back.ts';
import type { FairShareTerms } from './queue-terms.ts';
import { QueueTree } from './queue-tree.ts';
import { borrowedShare, guaranteed, isWithin } from './share.ts';

const MINUTE = 60_000;
/** Who went on and on: of 72,000 runs for nominal amounts none, of 12,000 for shares of one resource none, of 12,000 for shares of two 3. */
const MOST_RESTLESS = 2;

interface Run {
  readonly unit: FairUnit;
  readonly startedAt: number;
  readonly ends: number;
}

/** A cluster whose machines are one: what waits, what runs, and how often somebody had to stop. */
class Cluster {
  readonly tree: QueueTree;
  readonly #rebalance: boolean;
  #minute = 0;
  waiting: FairUnit[] = [];
  running: Run[] = [];
  stops = 0;
  /** They went on and on having each other stopped. */
  restless = false;

  constructor(terms: FairShareTerms, capacity: Amounts) {
    this.tree = new QueueTree(terms, capacity);
    this.#rebalance = terms.rebalance;
  }

  /** One minute: what is over ends, `arrived` comes, who may starts; with `preempt`, borrowers stop for who lacks amounts. */
  tick(arrived: readonly FairUnit[], preempt: boolean): void {
    this.#minute += 1;
    for (const { unit } of this.running.filter(({ ends }) => ends <= this.#minute))
      this.tree.release(unit.queue, unit.amounts);
    this.running = this.running.filter(({ ends }) => ends > this.#minute);
    this.waiting.push(...arrived);
    let passes = 0;
    while (passes < 100 && this.#pass(preempt)) passes += 1;
    this.restless ||= passes === 100;
    for (const resource of RESOURCES) {
      const used = this.running.reduce((sum, { unit }) => sum + unit.amounts[resource], 0);
      assert.ok(used <= this.tree.capacity[resource], 'more runs than there is');
    }
  }

  /** Everybody in order; whether somebody had to stop. */
  #pass(preempt: boolean): boolean {
    const lacking = new Map<string, FairUnit>();
    const order = new FairOrder(this.tree, this.waiting, epochMs(START + this.#minute * MINUTE));
    for (let turn = order.next(); turn !== undefined; turn = order.next()) {
      const { unit, lacks } = turn;
      const kind = JSON.stringify([unit.queue, unit.amounts, unit.priority]);
      if (lacks.length === 0) {
        order.start(unit);
        this.#note(unit);
      } else if (!lacking.has(kind)) lacking.set(kind, unit);
    }
    for (const unit of this.waiting)
      assert.notDeepEqual(this.tree.lacks(unit.queue, unit.amounts), [], 'idle while somebody may use it');
    return preempt && [...lacking.values()].some((unit) => this.#makeRoom(unit));
  }

  #note(unit: FairUnit): void {
    this.waiting = this.waiting.filter((one) => one !== unit);
    this.running.push({ unit, startedAt: this.#minute, ends: this.#minute + unit.maxDurationMs / MINUTE });
  }

  #makeRoom(unit: FairUnit): boolean {
    const units = this.running.map((run) => ({ ...run.unit, startedAt: run.startedAt }));
    const before = new Map(units.map((one) => [one.job, this.#isWithinOwn(one, 0)]));
    const stopped = giveBack(this.tree, { ...unit, rebalance: this.#rebalance }, units);
    if (stopped === undefined) return false;
    this.stops += stopped.length;
    const jobs = new Set(stopped.map(({ job }) => job));
    for (const one of stopped)
      assert.ok(one.queue === unit.queue || before.get(one.job) === false, 'its queue did not borrow');
    for (const { queue: from, amounts: freed } of stopped) this.tree.release(from, freed);
    const back = this.running.filter((run) => jobs.has(run.unit.job));
    this.running = this.running.filter((run) => !jobs.has(run.unit.job));
    this.waiting.push(...back.map((run) => run.unit));
    assert.deepEqual(this.tree.lacks(unit.queue, unit.amounts), []);
    this.tree.charge(unit.queue, unit.amounts);
    this.#note(unit);
    return true;
  }

  /** Whether the queue stays within its nominal amount with so often this job more. */
  #isWithinOwn({ queue: of, amounts: size }: FairUnit, times: 0 | 1): boolean {
    const [own] = this.tree.pathOf(of);
    const more = amounts(times * size.cpuMilli, times * size.memoryBytes, times * size.gpuMilli);
    return isWithin(own, more, guaranteed(this.tree, size));
  }

  /** Whom its own amount would take now, and who waits all the same. */
  deprived(): FairUnit[] {
    return this.waiting.filter((unit) => this.#isWithinOwn(unit, 1));
  }
}

const days = fc.array(fc.array(someJob, { maxLength: 4 }), { minLength: 4, maxLength: 12 });

type Day = readonly FairUnit[];

function daysOf(terms: FairShareTerms, drawn: readonly (readonly DrawnJob[])[]): Day[] {
  let named = 0;
  return drawn.map((day) => unitsOf(terms, day, START).map((unit) => ({ ...unit, job: at(JOBS, (named += 1)) })));
}

function hasItsOwn(terms: FairShareTerms, drawn: readonly (readonly DrawnJob[])[], slack: number): Cluster {
  const sum = nominalSum(terms);
  const cluster = new Cluster(terms, amounts(sum.cpuMilli + slack, sum.memoryBytes + slack));
  for (const day of daysOf(terms, drawn)) {
    cluster.tick(day, true);
    if (!cluster.restless) assert.deepEqual(cluster.deprived(), [], JSON.stringify(terms));
  }
  return cluster;
}

test('whatever comes: nothing idle that anybody may use, never more than there is, each its own amount at once', () => {
  const counts = { stops: 0, restless: 0 };
  fc.assert(
    fc.property(someTerms, days, fc.nat(4), (terms, drawn, slack) => {
      const cluster = hasItsOwn(terms, drawn, slack);
      counts.stops += cluster.stops;
      if (cluster.restless) counts.restless += 1;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(counts.stops > 200 && counts.restless <= MOST_RESTLESS, JSON.stringify(counts));
});

test('stopping jobs for shares, too, comes to an end, for one resource and for two', () => {
  const counts = { one: 0, two: 0 };
  const oneOnly = days.map((drawn) => drawn.map((day) => day.map((job) => ({ ...job, memory: 0 }))));
  fc.assert(
    fc.property(someTerms, days, oneOnly, fc.nat(4), (terms, two, one, slack) => {
      if (hasItsOwn({ ...terms, rebalance: true }, one, slack).restless) counts.one += 1;
      if (hasItsOwn({ ...terms, rebalance: true }, two, slack).restless) counts.two += 1;
    }),
    { numRuns: 400 },
  );
  assert.ok(counts.one <= MOST_RESTLESS && counts.two <= MOST_RESTLESS, JSON.stringify(counts));
});

test('where nobody can be stopped, each waits no longer than what ran when it came', () => {
  fc.assert(
    fc.property(someTerms, days, (terms, drawn) => {
      const cluster = new Cluster(terms, nominalSum(terms));
      const since = new Map<FairUnit, number>();
      const quiet = Array.from({ length: 10 }, () => []);
      for (const [minute, day] of daysOf(terms, [...drawn, ...quiet]).entries()) {
        cluster.tick(day, false);
        const deprived = new Set(cluster.deprived());
        for (const unit of deprived) since.set(unit, since.get(unit) ?? minute);
        for (const [unit, first] of since) {
          if (!deprived.has(unit)) since.delete(unit);
          // The longest run is five minutes, and nobody who borrows starts before who is within its amount.
          else assert.ok(minute - first <= 5 * 5, JSON.stringify(terms));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('while all have more than runs, shares keep to the weights as jobs end and come, with and without stopping any', () => {
  for (const preempt of [false, true]) {
    const weights = [1, 2, 5];
    const terms = termsOf(
      weights.map((weight, index) => queue(index, 0, { weight })),
      preempt,
    );
    const cluster = new Cluster(terms, amounts(40));
    const comes = (index: number, minute: number, count: number): FairUnit[] =>
      Array.from({ length: count }, (_, nth) => ({
        job: `${at(JOBS, index)}${minute}.${nth}` as FairUnit['job'],
        queue: at(QUEUES, index),
        amounts: amounts(1),
        priority: 50,
        submittedAt: START,
        maxDurationMs: (4 + ((minute + nth) % 5)) * MINUTE,
      }));
    // One has all of it before the others come.
    cluster.tick(comes(0, 0, 50), preempt);
    assert.equal(cluster.tree.pathOf(at(QUEUES, 0))[0].inside.cpuMilli, 40);
    cluster.tick([...comes(1, 1, 50), ...comes(2, 1, 50)], preempt);
    const settled = (): boolean => {
      const shares = leavesOf(terms)
        .slice(1)
        .map((id) => borrowedShare(cluster.tree, cluster.tree.pathOf(id)[0]));
      return Math.max(...shares) - Math.min(...shares) <= 1 / 40 + 1e-9;
    };
    assert.equal(settled(), preempt, 'at once, or as jobs end');
    for (let minute = 2; minute < 40; minute += 1) {
      cluster.tick(
        weights.flatMap((_, index) => comes(index, minute, 12)),
        preempt,
      );
      if (minute > 10) assert.ok(settled(), `minute ${minute}`);
    }
    if (!preempt) assert.equal(cluster.stops, 0);
  }
});
