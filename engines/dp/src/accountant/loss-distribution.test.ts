import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deltaOfLosses, epsilonOfLosses, type LossDistribution } from './loss-distribution.ts';

const of = (first: number, probs: readonly number[], infinity = 0): LossDistribution => ({
  interval: 0.5,
  first,
  probs: Float64Array.from(probs),
  infinity,
});

test('epsilon is where delta is met, wherever the losses lie', () => {
  for (const losses of [
    of(-2, [0.1, 0.2, 0.3, 0.3, 0.1]),
    of(3, [0.5, 0.25, 0.25]),
    of(0, [0.9, 0.1]),
    of(3_000, [0.5, 0.4, 0.09], 0.01),
    of(-1, [0, 0, 0.99], 0.01),
  ])
    for (const delta of [0.011, 0.05, 0.2, 0.45, 0.8, 0.99]) {
      const epsilon = epsilonOfLosses(losses, delta);
      if (epsilon === 0) assert.ok(deltaOfLosses(losses, 0) <= delta + 1e-12);
      else assert.ok(Math.abs(deltaOfLosses(losses, epsilon) - delta) < 1e-12, `${epsilon} at ${delta}`);
    }
  assert.equal(epsilonOfLosses(of(0, [0.9], 0.1), 0.05), Infinity);
  assert.equal(epsilonOfLosses(of(-4, [0.5, 0.5]), 0.1), 0);
});
