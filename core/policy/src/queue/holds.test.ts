import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import fc from 'fast-check';
import { START } from '../burst/burst.fixture.ts';
import type { HomeMachine, QueuedJob } from '../burst/predicted-wait.ts';
import { takeOf, without, withBack } from '../placement/take.ts';
import { holdBeside, holdsFor, mayStart, type Hold } from './holds.ts';
import { at, machine, OFFERS, takeOfSize, waiting } from './queue.fixture.ts';

const MINUTE = 60_000;
const [one, two] = [at(OFFERS, 0), at(OFFERS, 1)];
const none = new Set<typeof one>();

function hold(members: readonly QueuedJob[], machines: readonly HomeMachine[], held = none): readonly Hold[] {
  return holdsFor(members, machines, { held, now: START }) ?? [];
}

test('room is held where a job fits first, and what ends before or fits beside may start there', () => {
  const machines = [
    machine(one, 2, [
      [2, 30],
      [4, 60],
    ]),
    machine(two, 1, [[7, 90]]),
  ];
  const [held] = hold([waiting(0, 4)], machines);
  assert.ok(held !== undefined);
  assert.deepEqual([held.offer, held.at], [one, START + 30 * MINUTE]);
  assert.equal(held.spare.cpuMilli, 0);
  const small = waiting(1, 1).placement;
  assert.equal(mayStart(held, { placement: small, endsBy: held.at }), true, 'over in time');
  assert.equal(mayStart(held, { placement: small, endsBy: held.at + 1 }), false);
  const [eight] = hold([waiting(0, 6)], [machine(one, 2, [[6, 30]])]);
  assert.ok(eight !== undefined);
  const long = { placement: waiting(1, 2).placement, endsBy: START + 999 * MINUTE };
  assert.equal(mayStart(eight, long), true, 'fits beside');
  assert.equal(mayStart(holdBeside(eight, long), long), false, 'once');
});

test('a machine is held for one at a time, and nothing is held for whom no machine could take', () => {
  const machines = [machine(one, 0, [[4, 30]]), machine(two, 0, [[4, 60]])];
  assert.equal(hold([waiting(0, 4)], machines, new Set([one]))[0]?.offer, two);
  assert.deepEqual(hold([waiting(0, 5)], machines), []);
  assert.deepEqual(hold([waiting(0, 4, { machines: [] })], machines), []);
});

test('a gang is held for at the moment at which all of it fits', () => {
  const machines = [machine(one, 0, [[4, 30]]), machine(two, 2, [[4, 60]])];
  const gang = [waiting(0, 4), waiting(1, 4)];
  assert.deepEqual(
    hold(gang, machines).map(({ offer, at: when, spare }) => [offer, (when - START) / MINUTE, spare.cpuMilli]),
    [
      [one, 60, 0],
      [two, 60, 2_000],
    ],
  );
});

/** Runs a queue to its end, every job for as long as `runs` says: when each started, in minutes. */
function simulate(
  cpus: readonly number[],
  queue: readonly QueuedJob[],
  { runs, rule }: { readonly runs: readonly number[]; readonly rule: 'in-order' | 'backfill' | 'whatever-fits' },
): number[] {
  const lines = cpus.map((count, index) => ({
    offer: at(OFFERS, index),
    free: machine(one, count).free,
    running: [] as { take: ReturnType<typeof takeOfSize>; endsBy: ReturnType<typeof epochMs>; ends: number }[],
  }));
  const starts = queue.map(() => -1);
  for (let minute = 0; starts.includes(-1) && minute < 10_000; minute += 1) {
    const now = START + minute * MINUTE;
    for (const line of lines) {
      for (const over of line.running.filter(({ ends }) => ends <= now))
        line.free = withBack(line.free, over.take) ?? line.free;
      line.running = line.running.filter(({ ends }) => ends > now);
    }
    const holds = new Map<typeof one, Hold>();
    for (const [index, job] of queue.entries()) {
      if (starts[index] !== -1) continue;
      const { placement } = job;
      const endsBy = now + placement.maxDurationMs;
      const line = lines.find(({ offer, free }) => {
        const held = holds.get(offer);
        return (
          takeOf(free, placement, {}) !== undefined && (held === undefined || mayStart(held, { placement, endsBy }))
        );
      });
      if (line !== undefined) {
        const take = takeOf(line.free, placement, {}) ?? takeOfSize(0);
        line.free = without(line.free, take) ?? line.free;
        line.running.push({ take, endsBy: epochMs(endsBy), ends: now + at(runs, index) * MINUTE });
        starts[index] = minute;
        const held = holds.get(line.offer);
        if (held !== undefined) holds.set(line.offer, holdBeside(held, { placement, endsBy }));
      } else if (rule === 'in-order') break;
      else if (rule === 'backfill')
        for (const held of holdsFor([job], lines, { held: new Set(holds.keys()), now: epochMs(now) }) ?? [])
          holds.set(held.offer, held);
    }
  }
  return starts;
}

const queues = fc.record({
  cpus: fc.array(fc.integer({ min: 4, max: 8 }), { minLength: 1, maxLength: 3 }),
  before: fc.array(fc.record({ size: fc.integer({ min: 1, max: 4 }), minutes: fc.integer({ min: 1, max: 12 }) }), {
    maxLength: 6,
  }),
  after: fc.array(fc.record({ size: fc.integer({ min: 1, max: 4 }), minutes: fc.integer({ min: 1, max: 30 }) }), {
    minLength: 1,
    maxLength: 12,
  }),
});

/** Jobs of which those before fill what they can at once, then one of a whole machine, then many small ones. */
function queueOf({
  cpus,
  before,
  after,
}: {
  cpus: number[];
  before: { size: number; minutes: number }[];
  after: { size: number; minutes: number }[];
}) {
  const big = Math.max(...cpus);
  const jobs = [...before, { size: big, minutes: 10 }, ...after];
  return jobs.map(({ size, minutes }, index) => waiting(index, size, { minutes }));
}

test('a big job starts no later with backfill than if nobody went before it', () => {
  let earlierThanToday = 0;
  fc.assert(
    fc.property(queues, (drawn) => {
      const queue = queueOf(drawn);
      const runs = queue.map(({ expectedMs }) => expectedMs / MINUTE);
      const big = drawn.before.length;
      const start = (rule: 'in-order' | 'backfill' | 'whatever-fits'): number =>
        at(simulate(drawn.cpus, queue, { runs, rule }), big);
      const backfilled = start('backfill');
      // Those before it are placed as they come in both: only what comes after may differ.
      fc.pre(
        simulate(drawn.cpus, queue, { runs, rule: 'in-order' })
          .slice(0, big)
          .every((when) => when === 0),
      );
      assert.ok(backfilled <= start('in-order'), `${backfilled}`);
      if (backfilled < start('whatever-fits')) earlierThanToday += 1;
    }),
    { numRuns: 300 },
  );
  assert.ok(earlierThanToday > 10, `placing whatever fits delays it: ${earlierThanToday}`);
});

test('a big job starts no later than was held for it, however early others end', () => {
  const shares = fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(queues, shares, (drawn, early) => {
      const queue = queueOf(drawn);
      const runs = queue.map(({ expectedMs }, index) =>
        Math.max(1, Math.floor((expectedMs / MINUTE) * at(early, index))),
      );
      const longest = queue.map(({ expectedMs }) => expectedMs / MINUTE);
      const big = drawn.before.length;
      const inOrder = simulate(drawn.cpus, queue, { runs: longest, rule: 'in-order' });
      fc.pre(inOrder.slice(0, big).every((when) => when === 0));
      assert.ok(at(simulate(drawn.cpus, queue, { runs, rule: 'backfill' }), big) <= at(inOrder, big));
    }),
    { numRuns: 300 },
  );
});
