import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DpError } from './dp-error.ts';
import { deltaOf, epsilonOf, leastEpsilon } from './epsilon-of.ts';
import { rdpOfEvent } from './event-rdp.ts';
import type { PrivacyEvent } from './privacy-event.ts';
import { epsilonOfRdp } from './rdp-conversion.ts';
import { RDP_ORDERS } from './rdp.ts';

const near = (got: number | undefined, wanted: number, within: number): void =>
  assert.ok(got !== undefined && Math.abs(got - wanted) <= within, `${got} is not within ${within} of ${wanted}`);

const discreteGaussian = (sigma: number, steps = 1, shift = 1): PrivacyEvent => ({
  type: 'discrete-gaussian',
  sigma2: sigma * sigma,
  parties: 1,
  l1: shift,
  l2: shift,
  dimension: 1,
  steps,
});
const skellam = (mu: number, steps = 1, shift = 1): PrivacyEvent => ({
  type: 'skellam',
  mu,
  l1: shift,
  l2: shift,
  dimension: 1,
  steps,
});

/** Σ max(0, P − e^ε·Q) over outcomes, of log-weights that are normalised here: delta by its definition. */
function deltaByDefinition(logWeight: (x: number) => number, shift: number, epsilon: number): number {
  const reach = 2_000;
  let [total, excess] = [0, 0];
  for (let x = -reach; x <= reach; x += 1) {
    const [p, q] = [Math.exp(logWeight(x)), Math.exp(logWeight(x + shift))];
    total += p;
    excess += Math.max(0, p - Math.exp(epsilon) * q);
  }
  return excess / total;
}

/** log I_k(x) by its series (DLMF 10.25.2): another way to it than the accountant's. */
function logBessel(k: number, x: number): number {
  const first = k * Math.log(x / 2) - Array.from({ length: k }, (_, i) => Math.log(i + 1)).reduce((a, b) => a + b, 0);
  let [term, sum] = [1, 1];
  for (let m = 1; term > 1e-20 * sum; m += 1) {
    term *= (x * x) / 4 / m / (m + k);
    sum += term;
  }
  return first + Math.log(sum);
}

describe('discrete noise on one number', () => {
  test('discrete Gaussian runs agree with dp_accounting, which rounds each loss up to a grid of 1e−4', () => {
    for (const [sigma, steps, wanted] of [
      [1, 1, 4.430238],
      [1, 100, 91.823494],
      [4, 1, 0.927404],
      [4, 100, 13.211942],
    ] as const) {
      const { rdp, pldUpper, pldLower } = epsilonOf([discreteGaussian(sigma, steps)], 1e-5);
      // At sigma 4 losses are odd multiples of 312.5 intervals of theirs: each step is counted with half an interval more.
      near(pldUpper, wanted - (sigma === 4 ? steps * 5e-5 : 0), 1e-6);
      near(pldLower, pldUpper ?? NaN, 1e-6);
      assert.ok(rdp >= (pldUpper ?? Infinity));
    }
    near(deltaOf([discreteGaussian(1)], 1).pldUpper, 0.141351339, 1e-9);
  });

  test('one step has the delta that its definition gives, in the middle and far out', () => {
    for (const [sigma, shift, epsilon] of [
      [1, 1, 1],
      [4, 1, 1],
      [4, 3, 0.2],
      [8, 1, 1],
      [30, 7, 0.5],
    ] as const) {
      const wanted = deltaByDefinition((x) => -(x * x) / (2 * sigma * sigma), shift, epsilon);
      const { pldUpper = NaN, pldLower = NaN, rdp } = deltaOf([discreteGaussian(sigma, 1, shift)], epsilon);
      assert.ok(Math.abs(pldUpper / wanted - 1) < 1e-9 && Math.abs(pldLower / wanted - 1) < 1e-9);
      assert.ok(rdp >= wanted);
    }
    for (const [mu, shift, epsilon] of [
      [4, 1, 0.5],
      [100, 10, 1],
      [100, 3, 1],
    ] as const) {
      const wanted = deltaByDefinition((x) => (Math.abs(x) > 300 ? -800 : logBessel(Math.abs(x), mu)), shift, epsilon);
      const { pldUpper = NaN, pldLower = NaN, rdp } = deltaOf([skellam(mu, 1, shift)], epsilon);
      assert.ok(pldUpper >= wanted * (1 - 1e-9) && pldUpper < wanted * 1.05, `${pldUpper} is not ${wanted}`);
      assert.ok(pldLower <= wanted * (1 + 1e-9) && pldLower > wanted * 0.9, `${pldLower} is not ${wanted}`);
      assert.ok(rdp >= wanted, 'the bound on Rényi divergences is one');
    }
  });

  test('the bound on Skellam’s Rényi divergences lies above the divergences, at whole orders and between', () => {
    for (const [mu, shift] of [
      [2, 1],
      [30, 2],
      [400, 20],
    ] as const) {
      const curve = rdpOfEvent(skellam(mu, 1, shift));
      const logs = Array.from({ length: 500 }, (_, k) => logBessel(k, mu));
      for (const order of [1.1, 1.5, 2, 2.7, 5, 16]) {
        let [sum, total] = [0, 0];
        for (let x = -400; x <= 400; x += 1) {
          const [p, q] = [logs[Math.abs(x)] ?? NaN, logs[Math.abs(x + shift)] ?? NaN];
          sum += Math.exp(order * p + (1 - order) * q - mu);
          total += Math.exp(p - mu);
        }
        const divergence = Math.log(sum / total) / (order - 1);
        const bound = curve[RDP_ORDERS.indexOf(order)] ?? NaN;
        assert.ok(bound >= divergence && divergence > 0, `order ${order}: ${bound} < ${divergence}`);
      }
    }
    // By hand from the corollary: α/2µ + min((2α + 5)/4µ², 3/2µ), each branch once; what lies between two orders lies between their bounds.
    const at = (mu: number, order: number): number => rdpOfEvent(skellam(mu))[RDP_ORDERS.indexOf(order)] ?? NaN;
    near(at(10, 2), 2 / 20 + 9 / 400, 1e-15);
    near(at(0.3, 60), 60 / 0.6 + 3 / 0.6, 1e-12);
    assert.ok(at(10, 2) < at(10, 2.5) && at(10, 2.5) < at(10, 3));
  });

  test('Skellam noise tends to Gaussian noise of its variance, in many dimensions by its bound alone', () => {
    const gaussian = epsilonOf([{ type: 'gaussian', sigma: 2, steps: 10 }], 1e-5);
    near(epsilonOf([skellam(4e6, 10, 1_000)], 1e-5).pldUpper, gaussian.pldUpper ?? NaN, 1e-3);
    const vector: PrivacyEvent = { type: 'skellam', mu: 4e6, l1: 3e4, l2: 1_000, dimension: 5_000, steps: 10 };
    const { rdp, pldUpper, pldLower, least } = epsilonOf([vector], 1e-5);
    near(rdp, gaussian.rdp, 2e-2);
    assert.ok(rdp > gaussian.rdp && least === rdp);
    assert.deepEqual([pldUpper, pldLower], [undefined, undefined]);
    assert.equal(leastEpsilon([vector], 1e-5), least);
    const mixture: PrivacyEvent[] = [discreteGaussian(3, 4), { type: 'sampled-gaussian', q: 0.1, sigma: 1, steps: 20 }];
    assert.equal(leastEpsilon(mixture, 1e-6), epsilonOf(mixture, 1e-6).least);
  });
});

test('what may slip goes from delta, once for each step', () => {
  for (const dimension of [1, 5_000]) {
    const event = { type: 'skellam', mu: 4e6, l1: 3e4, l2: 1_000, dimension, steps: 10 } as const;
    const slip = 4e-7;
    const slipping: PrivacyEvent[] = [event, { ...event, slip }];
    const wanted = epsilonOf([event, event], 1e-5 - 10 * slip);
    const got = epsilonOf(slipping, 1e-5);
    near(got.least, wanted.least, 1e-12);
    assert.equal(leastEpsilon(slipping, 1e-5), got.least);
    assert.ok(got.least > epsilonOf([event, event], 1e-5).least);
    near(deltaOf(slipping, 1).least - deltaOf([event, event], 1).least, 10 * slip, 1e-12);
    // Nothing of the delta is left.
    assert.equal(epsilonOf(slipping, 10 * slip).least, Infinity);
    assert.equal(leastEpsilon(slipping, 10 * slip), Infinity);
  }
});

describe('other mechanisms', () => {
  test('Laplace and pure noise have their closed forms', () => {
    for (const scale of [0.5, 1, 4])
      for (const epsilon of [0, 0.1, 0.9 / scale]) {
        // 1 − e^((ε − 1/b)/2), and never more than ε.
        const wanted = Math.max(0, -Math.expm1((epsilon - 1 / scale) / 2));
        const { pldUpper, pldLower } = deltaOf([{ type: 'laplace', scale, steps: 1 }], epsilon);
        near(pldUpper, wanted, 1e-5);
        near(pldLower, wanted, 3e-5);
      }
    const truth = 1 / (1 + Math.exp(-1));
    near(deltaOf([{ type: 'pure', epsilon: 1, steps: 1 }], 0.5).pldUpper, truth * -Math.expm1(-0.5), 1e-12);
    near(epsilonOf([{ type: 'pure', epsilon: 0.7, steps: 3 }], 1e-12).pldUpper, 2.1, 1e-6);
    // A curve that is the same at all orders is pure privacy.
    const constant = RDP_ORDERS.map((order) => (Number.isInteger(order) && order <= 32 ? 1.1 : Infinity));
    const { epsilon, order } = epsilonOfRdp(constant, 1e-5);
    near(epsilon, 1.32783806176, 1e-7);
    assert.equal(order, 32);
  });

  test('a tree of 1,600 leaves stays below what its paper says', () => {
    for (const [sigma, most] of [
      [1.13, 19.74],
      [8.83, 2.04],
    ] as const) {
      const { rdp, pldUpper = NaN } = epsilonOf([{ type: 'tree', sigma, leaves: 1_600, restarts: 1 }], 1e-6);
      assert.ok(rdp < most && pldUpper < rdp && pldUpper > 0.8 * most);
    }
    const restarts = epsilonOf([{ type: 'tree', sigma: 3, leaves: 400, restarts: 4 }], 1e-6);
    assert.deepEqual(restarts, epsilonOf([{ type: 'gaussian', sigma: 3, steps: 36 }], 1e-6));
  });

  test('the sum of several parties’ discrete Gaussian noise costs as much as one of its variance, or a little more', () => {
    const of = (parties: number, sigma2: number): number =>
      epsilonOf([{ type: 'discrete-gaussian', sigma2, parties, l1: 40, l2: 20, dimension: 100, steps: 5 }], 1e-5).rdp;
    near(of(25, 16) / of(1, 400), 1, 1e-9);
    assert.ok(of(100, 0.5) > 1.01 * of(1, 50));
  });
});

test('what cannot be counted is refused, and nothing comes out as nothing', () => {
  const bad = (event: PrivacyEvent): void =>
    assert.throws(
      () => epsilonOf([event], 1e-5),
      (error) => error instanceof DpError && error.code === 'bad-event',
    );
  bad({ type: 'sampled-gaussian', q: 0, sigma: 1, steps: 1 });
  bad({ type: 'sampled-gaussian', q: 1.1, sigma: 1, steps: 1 });
  bad({ type: 'gaussian', sigma: NaN, steps: 1 });
  bad({ type: 'gaussian', sigma: 1, steps: 0 });
  bad({ type: 'gaussian', sigma: 1, steps: 1.5 });
  bad({ type: 'laplace', scale: Infinity, steps: 1 });
  bad({ type: 'pure', epsilon: -1, steps: 1 });
  bad({ type: 'skellam', mu: 10, l1: 1, l2: 2, dimension: 1, steps: 1 });
  for (const slip of [-1e-9, 1, NaN]) bad({ type: 'skellam', mu: 10, l1: 1, l2: 1, dimension: 1, steps: 1, slip });
  bad({ type: 'discrete-gaussian', sigma2: 0.1, parties: 2, l1: 1, l2: 1, dimension: 1, steps: 1 });
  for (const delta of [0, 1, NaN, -1])
    assert.throws(
      () => epsilonOf([], delta),
      (error) => error instanceof DpError && error.code === 'bad-target',
    );
  assert.deepEqual(epsilonOf([], 1e-5), { rdp: 0, pldUpper: 0, pldLower: 0, least: 0 });
});

test('losses that are far out are counted, and none is NaN', () => {
  const sampled = (q: number, sigma: number, steps: number): PrivacyEvent => ({
    type: 'sampled-gaussian',
    q,
    sigma,
    steps,
  });
  for (const [event, least, most] of [
    [sampled(0.3, 2, 20_000), 200, 500],
    [sampled(0.01, 0.1, 10), 0, 205],
    [sampled(0.01, 0.02, 1), 0, 1_440],
    [{ type: 'pure', epsilon: 50, steps: 30 }, 1_490, 1_500],
    [{ type: 'pure', epsilon: 0, steps: 30 }, 0, 1e-9],
  ] as const) {
    const { rdp, pldUpper = NaN, pldLower = NaN, least: counted } = epsilonOf([event], 1e-5);
    assert.ok(
      pldLower >= 0 && pldLower <= pldUpper && pldLower <= rdp * (1 + 1e-9) + 1e-9,
      `${pldLower} ${pldUpper} ${rdp}`,
    );
    assert.ok(counted >= least && counted <= most, `${counted} is not from ${least} to ${most}`);
  }
});
