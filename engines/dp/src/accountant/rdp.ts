import { logAdd, logSubtract } from './log-sum.ts';
import { logErfc } from './normal.ts';

/** Orders at which Rényi divergences are kept: those of dp_accounting, which its published values are for. */
export const RDP_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, index) => (10 + index + 1) / 10),
  ...Array.from({ length: 53 }, (_, index) => 11 + index),
  128,
  256,
  512,
  1024,
];

/** Rényi divergences at {@link RDP_ORDERS}; what was not found (a series that does not converge) is +∞. */
export type RenyiCurve = readonly number[];

/** A sum of `sensitivity` ≤ 1 with Gaussian noise of standard deviation `sigma` (Mironov 2017, proposition 7). */
export function gaussianRdp(sigma: number): RenyiCurve {
  return RDP_ORDERS.map((order) => order / (2 * sigma * sigma));
}

/**
 * One step of the Gaussian mechanism on a Poisson sample of rate `q`, add-or-remove-one (Mironov, Talwar, Zhang 2019, section 3.3: a finite sum
 * for whole orders, a series for others).
 */
export function sampledGaussianRdp(q: number, sigma: number, orders = RDP_ORDERS): RenyiCurve {
  if (q === 0) return orders.map(() => 0);
  if (q === 1) return orders.map((order) => order / (2 * sigma * sigma));
  return orders.map((order) => {
    const moment = Number.isInteger(order) ? wholeMoment(q, sigma, order) : fractionalMoment(q, sigma, order);
    return moment / (order - 1);
  });
}

/** `steps` times one curve. */
export function repeatRdp(curve: RenyiCurve, steps: number): RenyiCurve {
  return curve.map((value) => value * steps);
}

/** Both curves' mechanisms, one after the other. */
export function composeRdp(one: RenyiCurve, other: RenyiCurve): RenyiCurve {
  return one.map((value, at) => value + (other[at] ?? Infinity));
}

function wholeMoment(q: number, sigma: number, order: number): number {
  const [logQ, logRest] = [Math.log(q), Math.log1p(-q)];
  let [sum, logBinomial] = [-Infinity, 0];
  for (let k = 0; k <= order; k += 1) {
    sum = logAdd(sum, logBinomial + k * logQ + (order - k) * logRest + (k * k - k) / (2 * sigma * sigma));
    logBinomial += Math.log((order - k) / (k + 1));
  }
  return sum;
}

/** The terms of the series alternate in sign beyond the order; past this many it is taken not to converge. */
const MOST_TERMS = 10_000;

function fractionalMoment(q: number, sigma: number, order: number): number {
  const [logQ, logRest] = [Math.log(q), Math.log1p(-q)];
  const scale = Math.SQRT2 * sigma;
  const cut = sigma * sigma * Math.log(1 / q - 1) + 0.5;
  let [below, above, logBinomial, sign] = [-Infinity, -Infinity, 0, 1];
  for (let i = 0; i < MOST_TERMS; i += 1) {
    const j = order - i;
    const low =
      logBinomial +
      i * logQ +
      j * logRest +
      (i * i - i) / (2 * sigma * sigma) +
      Math.log(0.5) +
      logErfc((i - cut) / scale);
    const high =
      logBinomial +
      j * logQ +
      i * logRest +
      (j * j - j) / (2 * sigma * sigma) +
      Math.log(0.5) +
      logErfc((cut - j) / scale);
    below = sign > 0 ? logAdd(below, low) : logSubtract(below, low);
    above = sign > 0 ? logAdd(above, high) : logSubtract(above, high);
    if (Math.max(low, high) < -30) return logAdd(below, above);
    logBinomial += Math.log(Math.abs(j / (i + 1)));
    if (j < 0) sign = -sign;
  }
  return Infinity;
}
