import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { priceLimitOf } from './price-limit.ts';

const EUR = 'EUR';
const HOUR = 3_600_000;
const maxDurationMs = 6 * HOUR;

test('without a budget the limit is the job’s own, or none', () => {
  assert.equal(priceLimitOf({ maxDurationMs }), undefined);
  assert.deepEqual(priceLimitOf({ maxDurationMs, maxPrice: { microUnits: 7, currency: EUR } }), {
    microUnits: 7,
    currency: EUR,
  });
});

test('a budget pays for the longest run of every attempt; the lower limit counts', () => {
  const budget = { microUnits: 24_000_000, currency: EUR, attempts: 2 };
  assert.deepEqual(priceLimitOf({ maxDurationMs, budget }), { microUnits: 2_000_000, currency: EUR });
  const cheap = { microUnits: 1_999_999, currency: EUR };
  assert.deepEqual(priceLimitOf({ maxDurationMs, budget, maxPrice: cheap }), cheap);
  assert.equal(priceLimitOf({ maxDurationMs, budget, maxPrice: { microUnits: 3e6, currency: EUR } })?.microUnits, 2e6);
});

test('no price is within two currencies, not even none', () => {
  const budget = { microUnits: 24_000_000, currency: EUR, attempts: 1 };
  assert.equal(priceLimitOf({ maxDurationMs, budget, maxPrice: { microUnits: 1, currency: 'USD' } })?.microUnits, -1);
});

test('the limit is the highest price with which all attempts stay within the budget, to the micro-unit', () => {
  const amount = fc.integer({ min: 0, max: 1e12 });
  fc.assert(
    fc.property(
      amount,
      fc.integer({ min: 1_000, max: 31_536_000_000 }),
      fc.integer({ min: 1, max: 1_000_000 }),
      (most, duration, attempts) => {
        const limit = priceLimitOf({
          maxDurationMs: duration,
          budget: { microUnits: most, currency: EUR, attempts },
        });
        const hour = BigInt(limit?.microUnits ?? assert.fail());
        const costs = (price: bigint): bigint => price * BigInt(duration) * BigInt(attempts);
        const pays = BigInt(most) * BigInt(HOUR);
        assert.ok(costs(hour) <= pays && costs(hour + 1n) > pays);
      },
    ),
    { numRuns: 2_000 },
  );
});
