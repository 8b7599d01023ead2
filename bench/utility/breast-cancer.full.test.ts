import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrate, compareNoised, comparePlain } from './experiment.ts';
import { breastCancer } from './experiments.ts';

/** One seed's test rows are 114: a percentage point is about one of them. */
const POINT = 0.01;
const SEED = 1;

test('one seed of breast-cancer: federated is pooled within two rows of 114 without noise', () => {
  const { pooled, federated } = comparePlain(breastCancer(), SEED);
  assert.ok(pooled > 0.94 && Math.abs(pooled - federated) <= 2 * POINT, `${pooled} ${federated}`);
});

test('one seed of breast-cancer: Skellam shares at 20 bits do as well as one Gaussian at equal epsilon, within five rows', () => {
  const experiment = breastCancer();
  const target = { epsilon: 3, delta: 1e-5 };
  const noise = calibrate(experiment, target, 20);
  assert.equal(noise.encoding.width, 20);
  for (const epsilon of [noise.centralEpsilon, noise.skellamEpsilon])
    assert.ok(epsilon <= 3 && epsilon > 2.99, String(epsilon));
  const { pooled, federated } = compareNoised(experiment, noise, SEED);
  assert.ok(pooled > 0.9 && Math.abs(pooled - federated) <= 5 * POINT, `${pooled} ${federated}`);
});
