import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import fc from 'fast-check';
import { START } from '../burst/burst.fixture.ts';
import { FairOrder, type FairUnit } from './fair-order.ts';
import { amounts, at, JOBS, queue, QUEUES, termsOf } from './fair-share.fixture.ts';
import { holdAmount, mayPass, notePassed } from './held-amount.ts';
import { QueueTree } from './queue-tree.ts';

const MINUTE = 60_000;
const [a, b, c] = [at(QUEUES, 0), at(QUEUES, 1), at(QUEUES, 2)];
const terms = termsOf([queue(0, 0), queue(1, 0), queue(2, 0, { borrowing: { cpuMilli: 3 } })]);

test('amounts are kept from when enough will have ended, and what ends before or fits beside passes', () => {
  const tree = new QueueTree(terms, amounts(10));
  const running = [
    { queue: a, amounts: amounts(4), endsBy: START + 30 * MINUTE },
    { queue: b, amounts: amounts(4), endsBy: START + 60 * MINUTE },
  ];
  for (const one of running) tree.charge(one.queue, one.amounts);
  const hold = holdAmount(tree, { queue: b, amounts: amounts(5) }, { running, now: START });
  assert.ok(hold !== undefined);
  assert.equal(hold.at, START + 30 * MINUTE);
  const small = { queue: a, amounts: amounts(2) };
  assert.equal(mayPass(hold, { ...small, endsBy: hold.at }), true);
  assert.equal(mayPass(hold, { ...small, endsBy: hold.at + 1 }), false, 'one CPU stays beside it');
  const one = { queue: a, amounts: amounts(1), endsBy: hold.at + 1 };
  assert.equal(mayPass(hold, one), true);
  notePassed(hold, one);
  assert.equal(mayPass(hold, one), false, 'once');
  assert.equal(tree.root.inside.cpuMilli, 8, 'the tree is as it was');
});

test('nothing is kept for what could not start if nothing ran', () => {
  const tree = new QueueTree(terms, amounts(10));
  const look = { running: [], now: START };
  assert.equal(holdAmount(tree, { queue: c, amounts: amounts(4) }, look), undefined);
  assert.equal(holdAmount(tree, { queue: c, amounts: amounts(3) }, look)?.at, START);
});

const arrivals = fc.array(
  fc.record({
    leaf: fc.nat(1),
    cpus: fc.integer({ min: 1, max: 3 }),
    minutes: fc.integer({ min: 1, max: 12 }),
    early: fc.nat(11),
    at: fc.nat(40),
  }),
  { minLength: 20, maxLength: 80 },
);

test('a large job of a queue that has nothing is not kept from starting by small ones that go on coming', () => {
  let later = 0;
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 4, max: 8 }), (drawn, cpus) => {
      const start = (holds: boolean): readonly [number | undefined, number | undefined] =>
        simulate(drawn, { cpus, holds });
      const [started, promised] = start(true);
      assert.ok(started !== undefined && (promised === undefined || started <= promised), `${started} ${promised}`);
      if ((start(false)[0] ?? Infinity) > started) later += 1;
    }),
    { numRuns: 300 },
  );
  assert.ok(later > 20, `only ${later} are late where nothing is kept`);
});

/** Minutes at which the large job, which comes in minute 5, started and at which it was first promised to. */
function simulate(
  drawn: readonly { leaf: number; cpus: number; minutes: number; early: number; at: number }[],
  { cpus, holds }: { readonly cpus: number; readonly holds: boolean },
): [number | undefined, number | undefined] {
  const unit = (index: number, minute: number, more: Partial<FairUnit>): FairUnit => ({
    job: at(JOBS, index),
    queue: undefined,
    amounts: amounts(1),
    priority: 50,
    submittedAt: START + minute * MINUTE,
    maxDurationMs: MINUTE,
    ...more,
  });
  // It was tried before, and is the oldest: of queues that have nothing the oldest job is first.
  const large = unit(255, -1, { queue: b, amounts: amounts(cpus), maxDurationMs: MINUTE });
  const jobs = drawn.map((one, index) => ({
    ends: Math.max(1, one.minutes - one.early),
    minute: one.at,
    unit: unit(index, one.at, {
      queue: one.leaf === 0 ? a : undefined,
      amounts: amounts(Math.min(one.cpus, cpus)),
      maxDurationMs: one.minutes * MINUTE,
    }),
  }));
  const tree = new QueueTree(terms, amounts(cpus));
  let running: {
    unit: FairUnit;
    ends: number;
    queue: FairUnit['queue'];
    amounts: FairUnit['amounts'];
    endsBy: number;
  }[] = [];
  let waiting: FairUnit[] = [];
  let promised: number | undefined;
  for (let minute = 0; minute < 400; minute += 1) {
    const now = epochMs(START + minute * MINUTE);
    for (const one of running.filter(({ ends }) => ends <= minute)) tree.release(one.queue, one.amounts);
    running = running.filter(({ ends }) => ends > minute);
    waiting.push(...jobs.filter((one) => one.minute === minute).map((one) => one.unit));
    if (minute === 5) waiting.push(large);
    const before = [...running];
    const order = new FairOrder(tree, waiting, now);
    for (let turn = order.next(); turn !== undefined; turn = order.next()) {
      const { unit: next, lacks } = turn;
      if (lacks.length > 0) {
        const held = holds && next === large ? order.hold(next, before) : undefined;
        promised ??= held === undefined ? undefined : (held.at - START) / MINUTE;
        continue;
      }
      if (next === large) return [minute, promised];
      order.start(next);
      waiting = waiting.filter((one) => one !== next);
      const ends = minute + (jobs.find((one) => one.unit === next)?.ends ?? 1);
      running.push({ unit: next, ends, queue: next.queue, amounts: next.amounts, endsBy: now + next.maxDurationMs });
    }
  }
  return [undefined, promised];
}
