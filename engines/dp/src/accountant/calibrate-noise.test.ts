import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gaussianSigma } from './analytic-gaussian.ts';
import { calibrateNoise } from './calibrate-noise.ts';
import { DpError } from './dp-error.ts';
import { leastEpsilon } from './epsilon-of.ts';
import type { PrivacyEvent } from './privacy-event.ts';

const target = { epsilon: 2, delta: 1e-5 };

test('noise is the least that reaches the target, of every kind', () => {
  const families: Readonly<Record<string, (noise: number) => PrivacyEvent[]>> = {
    gaussian: (sigma) => [{ type: 'gaussian', sigma, steps: 3 }],
    sampled: (sigma) => [{ type: 'sampled-gaussian', q: 0.1, sigma, steps: 40 }],
    laplace: (scale) => [{ type: 'laplace', scale, steps: 5 }],
    tree: (sigma) => [{ type: 'tree', sigma, leaves: 100, restarts: 2 }],
    skellam: (mu) => [{ type: 'skellam', mu, l1: 400, l2: 40, dimension: 1_000, steps: 10 }],
    'with something else beside it': (sigma) => [
      { type: 'pure', epsilon: 0.5, steps: 1 },
      { type: 'gaussian', sigma, steps: 1 },
    ],
  };
  for (const [name, eventsAt] of Object.entries(families)) {
    const noise = calibrateNoise(eventsAt, target);
    assert.ok(leastEpsilon(eventsAt(noise), target.delta) <= target.epsilon, `${name} misses the target`);
    assert.ok(leastEpsilon(eventsAt(noise * 0.9999), target.delta) > target.epsilon, `${name} is too much`);
  }
});

test('the Gaussian mechanism comes to its formula, also far below 1', () => {
  for (const epsilon of [0.01, 1, 60, 1e4]) {
    const wanted = gaussianSigma(epsilon, 1e-5);
    const sigma = calibrateNoise((noise) => [{ type: 'gaussian', sigma: noise, steps: 1 }], { epsilon, delta: 1e-5 });
    assert.ok(sigma >= wanted * (1 - 1e-9) && sigma <= wanted * (1 + 2e-6), `${sigma} is not ${wanted}`);
  }
});

test('targets that nothing reaches are refused by name', () => {
  const refused = (code: string, run: () => unknown): void => {
    assert.throws(run, (error) => error instanceof DpError && error.code === code);
  };
  const gaussian = (sigma: number): PrivacyEvent[] => [{ type: 'gaussian', sigma, steps: 1 }];
  for (const epsilon of [0, -1, NaN, Infinity])
    refused('bad-target', () => calibrateNoise(gaussian, { epsilon, delta: 1e-5 }));
  for (const delta of [0, 1, NaN]) refused('bad-target', () => calibrateNoise(gaussian, { epsilon: 1, delta }));
  // What is beside it alone costs more.
  refused('unreachable-target', () =>
    calibrateNoise((sigma) => [...gaussian(sigma), { type: 'pure', epsilon: 3, steps: 1 }], target),
  );
});
