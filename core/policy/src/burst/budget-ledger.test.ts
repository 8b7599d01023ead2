import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import fc from 'fast-check';
import { HOUR, JOBS, START, TERMS } from './burst.fixture.ts';
import { EMPTY_LEDGER, affordableHour, costOf, reserve, settle } from './budget-ledger.ts';
import { readBurstTerms } from './burst-terms.ts';

const [job] = JOBS as [(typeof JOBS)[0]];
const { budget } = TERMS;
const euros = (microUnits: number) => ({ microUnits, currency: 'EUR' });

test('costs are exact and rounded up, far beyond where numbers with a fraction are', () => {
  assert.equal(costOf(1_000_000, HOUR), 1_000_000);
  assert.equal(costOf(1, 1), 1);
  assert.equal(costOf(0, HOUR), 0);
  assert.equal(costOf(1_000_000, -5), 0);
  // 10^12 an hour for 8,759 h and 1 ms.
  assert.equal(costOf(1e12, 8_759 * HOUR + 1), 8_759e12 + 277_778);
});

test('the dearest hour that is left is affordable, and one millionth more is not', () => {
  const spans = fc.record({ left: fc.integer({ min: 1, max: 1e15 }), coveredMs: fc.integer({ min: 1, max: 3e10 }) });
  fc.assert(
    fc.property(spans, ({ left, coveredMs }) => {
      const limit = { ...budget, microUnits: left };
      const hour = affordableHour(EMPTY_LEDGER, limit, { now: START, coveredMs });
      assert.ok(hour !== undefined);
      fc.pre(Number.isSafeInteger(hour + 1));
      const ask = (microUnits: number) =>
        reserve(EMPTY_LEDGER, limit, { job, attempt: 1, price: euros(microUnits), coveredMs, now: START }).allow;
      assert.equal(ask(hour), true);
      assert.equal(ask(hour + 1), false);
    }),
  );
});

test('nothing is reserved without a price, in another currency, beyond the budget, or twice', () => {
  const of = { job, attempt: 1, coveredMs: HOUR, now: START };
  const reasons = (change: object, ledger = EMPTY_LEDGER) => {
    const decision = reserve(ledger, budget, { ...of, price: euros(1), ...change });
    return decision.allow ? [] : decision.reasons;
  };
  assert.deepEqual(reasons({ price: undefined }), ['unknown-price']);
  assert.deepEqual(reasons({ price: { microUnits: 1, currency: 'USD' } }), ['currency']);
  assert.deepEqual(reasons({ price: euros(10_000_001) }), ['budget']);
  const first = reserve(EMPTY_LEDGER, budget, { ...of, price: euros(10_000_000) });
  assert.ok(first.allow);
  assert.deepEqual(reasons({}, first.ledger), ['already-reserved']);
  assert.deepEqual(reasons({ attempt: 2 }, first.ledger), ['budget'], 'the attempt before may be alive');
  const later = epochMs(START + 48 * HOUR);
  assert.deepEqual(reasons({ attempt: 2, now: later }, first.ledger), ['budget'], 'also in a later period');
  const over = settle(first.ledger, { job, attempt: 1, endedAt: epochMs(START + HOUR / 2) });
  assert.equal(over?.microUnits, 5_000_000);
  assert.equal(settle(first.ledger, { job, attempt: 1, endedAt: epochMs(START + 9 * HOUR) })?.microUnits, 10_000_000);
  assert.deepEqual(reasons({ attempt: 2, price: euros(5_000_001) }, over.ledger), ['budget']);
  assert.deepEqual(reasons({ attempt: 2, price: euros(5_000_000) }, over.ledger), []);
  assert.deepEqual(reasons({ attempt: 2, price: euros(10_000_000), now: later }, over.ledger), [], 'a new period');
});

test('terms that contradict themselves or hold broken numbers are refused with the field', () => {
  const faults = (change: object) => {
    const read = readBurstTerms({ ...TERMS, ...change });
    return read.allow ? [] : read.reasons.map(({ field, fault }) => `${field} ${fault}`);
  };
  assert.deepEqual(faults({}), []);
  assert.deepEqual(faults({ lowWaitMs: 30_001 }), ['lowWaitMs low-above-half-of-high']);
  assert.deepEqual(faults({ highLooks: 0 }), ['highLooks out-of-range']);
  assert.deepEqual(faults({ cooldownMs: -1 }), ['cooldownMs out-of-range']);
  assert.deepEqual(faults({ mostAtOnce: Number.NaN }), ['mostAtOnce malformed']);
  assert.deepEqual(faults({ budget: { ...budget, microUnits: 1.5 } }), ['budget.microUnits malformed']);
  assert.deepEqual(faults({ budget: { ...budget, currency: 'euro' } }), ['budget.currency malformed']);
  assert.deepEqual(faults({ more: 1 }), [' malformed']);
});
