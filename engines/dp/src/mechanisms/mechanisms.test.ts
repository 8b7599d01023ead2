import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '@ringfence/base';
import { bernoulliExp, discreteGaussian, discreteLaplace, fractionOf, Skellam } from './index.ts';
import { poissonTable } from './poisson-table.ts';
import { uniformBelow } from './uniform.ts';

const rng = seededRng('mechanisms');

/** Pearson's statistic over cells that expect at least 10, the rest in one; it is below 5 standard deviations above its mean. */
function assertDistributed(values: readonly number[], mass: (value: number) => number): void {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let [statistic, cells, restSeen, restExpected] = [0, 0, values.length, values.length];
  for (const [value, seen] of counts) {
    const expected = mass(value) * values.length;
    if (expected < 10) continue;
    statistic += (seen - expected) ** 2 / expected;
    cells += 1;
    restSeen -= seen;
    restExpected -= expected;
  }
  if (restExpected >= 10) statistic += (restSeen - restExpected) ** 2 / restExpected;
  assert.ok(restExpected > -1, 'the cells are part of the whole');
  assert.ok(statistic < cells + 5 * Math.sqrt(2 * cells), `chi-square ${statistic} of ${cells} cells`);
}

function normalised(weight: (value: number) => number, reach: number): (value: number) => number {
  let total = 0;
  for (let value = -reach; value <= reach; value += 1) total += weight(value);
  return (value) => weight(value) / total;
}

describe('noise is drawn from what it is said to be', () => {
  it('whole numbers below a limit, also one that is no power of two', () => {
    assertDistributed(
      Array.from({ length: 60_000 }, () => Number(uniformBelow(600n, rng))),
      () => 1 / 600,
    );
    assert.equal(uniformBelow(1n, rng), 0n);
    assert.throws(() => uniformBelow(0n, rng), RangeError);
  });

  it('a coin of e^−rate, below and above 1', () => {
    for (const rate of [0, 0.25, 1, 3.5]) {
      const fraction = fractionOf(rate);
      const heads = Array.from({ length: 40_000 }, () => Number(bernoulliExp(fraction, rng)));
      const p = Math.exp(-rate);
      assertDistributed(heads, (value) => (value === 1 ? p : 1 - p));
    }
  });

  it('discrete Laplace and Gaussian of several widths', () => {
    for (const scale of [0.5, 2, 7.25]) {
      const mass = normalised((x) => Math.exp(-Math.abs(x) / scale), 400);
      assertDistributed(
        Array.from({ length: 20_000 }, () => Number(discreteLaplace(fractionOf(scale), rng))),
        mass,
      );
    }
    for (const sigma of [0.5, 1, 6]) {
      const mass = normalised((x) => Math.exp(-(x * x) / (2 * sigma * sigma)), 200);
      assertDistributed(
        Array.from({ length: 20_000 }, () => Number(discreteGaussian(fractionOf(sigma * sigma), rng))),
        mass,
      );
    }
  });

  it('ends at sigma 1,000 and at 2^40, with the right width', () => {
    for (const sigma of [1_000, 2 ** 40]) {
      const values = Array.from(
        { length: 400 },
        () => Number(discreteGaussian(fractionOf(sigma * sigma), rng)) / sigma,
      );
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      assert.ok(Math.abs(mean) < 5 / Math.sqrt(400) && Math.abs(square - 1) < 5 * Math.sqrt(2 / 400));
    }
  });

  it('Skellam, whose sums are Skellam again', () => {
    const draw = (variance: number, count: number): number[] => {
      const target = new Int32Array(count);
      new Skellam(variance, rng).fill(target);
      return [...target];
    };
    assertDistributed(draw(2, 40_000), skellamMass(2));
    assertDistributed(draw(32, 40_000), skellamMass(32));
    const parts = [draw(4, 20_000), draw(10, 20_000), draw(18, 20_000)];
    assertDistributed(
      Array.from({ length: 20_000 }, (_, at) => parts.reduce((sum, part) => sum + (part[at] ?? 0), 0)),
      skellamMass(32),
    );
    assert.throws(() => new Skellam(3, rng), RangeError);
    assert.throws(() => new Skellam(2 ** 50, rng), RangeError);
  });

  it('takes fractions from doubles exactly', () => {
    assert.deepEqual(fractionOf(0.75), { over: 3n, under: 4n });
    const { over, under } = fractionOf(0.1);
    assert.equal(Number(over) / Number(under), 0.1);
    for (const bad of [-1, NaN, Infinity]) assert.throws(() => fractionOf(bad), RangeError);
  });
});

/** Σ over j of Poisson(v/2)(j + |x|) · Poisson(v/2)(j). */
function skellamMass(variance: number): (value: number) => number {
  const mean = variance / 2;
  const poisson = [Math.exp(-mean)];
  for (let k = 1; k < 200; k += 1) poisson.push(((poisson[k - 1] ?? 0) * mean) / k);
  return (value) => poisson.reduce((sum, mass, j) => sum + mass * (poisson[j + Math.abs(value)] ?? 0), 0);
}

describe('a Poisson table', () => {
  it('has the sums of the distribution to the last of 128 bits or so', () => {
    const { first, high, low } = poissonTable(3);
    assert.equal(first, 0);
    // e^−3 = Σ (−3)^k/k!, in whole numbers of 2^−192.
    const one = 1n << 192n;
    let [term, inverse] = [one, 0n];
    for (let k = 1n; term !== 0n; k += 1n) [inverse, term] = [inverse + term, (term * -3n) / k];
    let [sum, mass] = [0n, inverse];
    for (let at = 0; at < 12; at += 1) {
      sum += mass;
      const got = ((high[at] ?? 0n) << 64n) | (low[at] ?? 0n);
      const wanted = sum >> 64n;
      const off = got > wanted ? got - wanted : wanted - got;
      assert.ok(off < 1n << 8n, `entry ${at} is off by ${off}`);
      mass = (mass * 3n) / BigInt(at + 1);
    }
  });

  it('grows, and ends at one', () => {
    const { high, low } = poissonTable(50_000);
    for (let at = 1; at < high.length; at += 1) {
      const [a, b] = [high[at - 1] as bigint, high[at] as bigint];
      assert.ok(a < b || (a === b && (low[at - 1] as bigint) <= (low[at] as bigint)));
    }
    assert.equal(high.at(-1), 0xffff_ffff_ffff_ffffn);
  });
});
