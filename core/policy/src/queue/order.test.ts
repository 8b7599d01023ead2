import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import fc from 'fast-check';
import { START } from '../burst/burst.fixture.ts';
import { agedPriority, AGING_MS, HIGHEST_PRIORITY, inQueueOrder } from './order.ts';
import { at, JOBS } from './queue.fixture.ts';

const job = (index: number, priority: number, waitedMs: number) => ({
  job: at(JOBS, index),
  priority,
  submittedAt: START - waitedMs,
});
const priorities = fc.integer({ min: 0, max: HIGHEST_PRIORITY });

test('a point a minute, up to the highest priority', () => {
  assert.equal(agedPriority(job(0, 40, 0), START), 40);
  assert.equal(agedPriority(job(0, 40, AGING_MS - 1), START), 40);
  assert.equal(agedPriority(job(0, 40, 3 * AGING_MS), START), 43);
  assert.equal(agedPriority(job(0, 40, 999 * AGING_MS), START), 100);
  assert.equal(
    agedPriority(job(0, 40, -999 * AGING_MS), START),
    40,
    'a clock that went back takes nothing that was signed',
  );
});

test('whoever has waited for 100 minutes comes before all that is submitted later, whatever its priority', () => {
  fc.assert(
    fc.property(priorities, priorities, fc.nat(1e9), fc.nat(1e9), (old, young, waited, later) => {
      const first = job(0, old, HIGHEST_PRIORITY * AGING_MS + waited);
      const second = { ...job(1, young, 0), submittedAt: first.submittedAt + 1 + later };
      const now = epochMs(Math.max(START, second.submittedAt));
      assert.ok(inQueueOrder(first, second, now) < 0);
    }),
  );
});

test('the order is total, and by submission among equals', () => {
  const jobs = fc.record({ index: fc.nat(63), priority: priorities, waited: fc.nat(1e8) });
  fc.assert(
    fc.property(jobs, jobs, jobs, (...drawn) => {
      const [a, b, c] = drawn.map(({ index, priority, waited }) => job(index, priority, waited)) as [
        ReturnType<typeof job>,
        ReturnType<typeof job>,
        ReturnType<typeof job>,
      ];
      const sign = (x: typeof a, y: typeof a): number => Math.sign(inQueueOrder(x, y, START));
      assert.equal(sign(a, b) + sign(b, a), 0);
      if (sign(a, b) < 0 && sign(b, c) < 0) assert.ok(sign(a, c) < 0);
    }),
  );
  assert.ok(inQueueOrder(job(1, 50, 2), job(0, 50, 1), START) < 0);
});
