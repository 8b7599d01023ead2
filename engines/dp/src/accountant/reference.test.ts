import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gaussianDelta, gaussianEpsilon, gaussianSigma } from './analytic-gaussian.ts';
import { epsilonOfRdp } from './rdp-conversion.ts';
import { RDP_ORDERS, sampledGaussianRdp } from './rdp.ts';
import { REFERENCE_EPSILONS } from './reference-epsilons.fixture.ts';
import { epsilonOfRun } from './sampled-gaussian.ts';

const near = (got: number, wanted: number, within: number): void =>
  assert.ok(Math.abs(got - wanted) <= within, `${got} is not within ${within} of ${wanted}`);

describe('epsilons of Poisson-sampled Gaussian runs agree with dp_accounting', () => {
  for (const { run, delta, rdp, pld, dropsOrders } of REFERENCE_EPSILONS)
    test(`q ${run.q}, sigma ${run.sigma}, ${run.steps} steps, delta ${delta}`, () => {
      const bounds = epsilonOfRun(run, delta);
      near(bounds.pldUpper, pld, 1e-3);
      assert.ok(bounds.pldLower <= bounds.pldUpper && bounds.pldLower <= pld + 1e-6, 'the optimistic bound is one');
      near(bounds.pldLower, pld, 3e-3);
      assert.ok(bounds.pldUpper <= bounds.rdp, 'the tighter bound is tighter');
      if (dropsOrders === true) assert.ok(bounds.rdp <= rdp && bounds.rdp > 0.98 * rdp);
      else near(bounds.rdp / rdp, 1, 1e-6);
    });
});

/** Simpson's rule for log E[(1 − q + q·e^((2x−1)/2σ²))^order] / (order − 1): another way to the same number. */
function divergenceByQuadrature(q: number, sigma: number, order: number): number {
  const [from, to, cells] = [-14 * sigma, 14 * sigma + order, 40_000];
  const value = (x: number): number =>
    Math.exp(-(x * x) / (2 * sigma * sigma) + order * Math.log1p(q * Math.expm1((2 * x - 1) / (2 * sigma * sigma))));
  let sum = 0;
  for (let at = 0; at <= cells; at += 1) {
    const weight = at === 0 || at === cells ? 1 : at % 2 === 1 ? 4 : 2;
    sum += weight * value(from + ((to - from) * at) / cells);
  }
  return Math.log((sum * (to - from)) / cells / 3 / (sigma * Math.sqrt(2 * Math.PI))) / (order - 1);
}

test('Rényi divergences agree with an integral, at whole and fractional orders', () => {
  for (const [q, sigma] of [
    [0.5, 4],
    [0.1, 1],
    [0.02, 0.6],
    [0.01, 0.8],
  ] as const) {
    const curve = sampledGaussianRdp(q, sigma);
    for (const order of [1.5, 2.3, 3.2, 4.8, 8, 12]) {
      const got = curve[RDP_ORDERS.indexOf(order)] ?? assert.fail();
      near(got / divergenceByQuadrature(q, sigma, order), 1, 1e-8);
    }
  }
});

test('Rényi divergences are those that dp_accounting tests', () => {
  // Whole orders; at fractional ones it gives bounds that lie above the integral.
  const wanted = [2.18075656e-3, 2.38460375e-2, 167.416308];
  const curve = sampledGaussianRdp(0.01, 2.5, [5, 50, 100]);
  for (const [at, value] of wanted.entries()) near((50 * (curve[at] ?? 0)) / value, 1, 1e-8);
  const bounds = [6.70579741e-4, 1.0854871e-3];
  const fractional = sampledGaussianRdp(0.01, 2.5, [1.5, 2.5]);
  for (const [at, value] of bounds.entries()) assert.ok(50 * (fractional[at] ?? 0) < value);
  near(epsilonOfRdp(sampledGaussianRdp(1, 4.530877117), 1e-6).epsilon, 1, 1e-6);
});

test('the analytic Gaussian mechanism has its published values', () => {
  for (const [sigma, delta, epsilon] of [
    [0.5, 1e-1, 3.807885],
    [0.5, 1e-3, 7.58128],
    [0.5, 1e-5, 9.997256],
    [1, 1e-1, 1.160334],
    [1, 1e-3, 3.138671],
    [1, 1e-5, 4.377178],
  ] as const) {
    near(gaussianEpsilon(sigma, delta), epsilon, 1e-6);
    near(gaussianDelta(sigma, epsilon) / delta, 1, 1e-4);
    near(gaussianSigma(epsilon, delta), sigma, 1e-5);
  }
});
