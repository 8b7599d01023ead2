import type { DiscreteGaussianEvent, PrivacyEvent, SkellamEvent } from './privacy-event.ts';
import { gaussianRdp, RDP_ORDERS, repeatRdp, sampledGaussianRdp, type RenyiCurve } from './rdp.ts';

/** Bounds on the Rényi divergences of all steps of an event. */
export function rdpOfEvent(event: PrivacyEvent): RenyiCurve {
  switch (event.type) {
    case 'sampled-gaussian':
      return repeatRdp(sampledGaussianRdp(event.q, event.sigma), event.steps);
    case 'gaussian':
      return repeatRdp(gaussianRdp(event.sigma), event.steps);
    case 'tree':
      return repeatRdp(gaussianRdp(event.sigma), event.restarts * treeDepth(event.leaves));
    case 'laplace':
      return repeatRdp(laplaceRdp(event.scale), event.steps);
    case 'discrete-gaussian':
      return repeatRdp(discreteGaussianRdp(event), event.steps);
    case 'skellam':
      return repeatRdp(skellamRdp(event), event.steps);
    case 'pure':
      return repeatRdp(pureRdp(event.epsilon), event.steps);
  }
}

/** Nodes of a binary tree over `leaves` values that one leaf is in (Kairouz, McMahan et al. 2021, “Practical and Private (Deep) Learning Without Sampling or Shuffling”, appendix D). */
export function treeDepth(leaves: number): number {
  return Math.ceil(Math.log2(leaves + 1));
}

/** Mironov 2017, table II. */
export function laplaceRdp(scale: number): RenyiCurve {
  return RDP_ORDERS.map((order) => {
    const [a, b] = [order / (2 * order - 1), (order - 1) / (2 * order - 1)];
    // Without the larger of both exponentials, which may not fit a double.
    return 1 / scale + Math.log(a + b * Math.exp((1 - 2 * order) / scale)) / (order - 1);
  });
}

/** Randomised response, the worst of all that is `epsilon`-private (Bun, Steinke 2016, proposition 3.3). */
export function pureRdp(epsilon: number): RenyiCurve {
  return RDP_ORDERS.map((order) => {
    const truth = 1 / (1 + Math.exp(-epsilon));
    // truth^order · lie^(1−order) + lie^order · truth^(1−order), over e^((order−1)·epsilon).
    return epsilon + Math.log(truth + truth * Math.exp(-epsilon * (2 * order - 1))) / (order - 1);
  });
}

/** Kairouz, Liu, Steinke 2021, proposition 14; of one party it is Canonne, Kamath, Steinke 2020, theorem 4. */
function discreteGaussianRdp({ sigma2, parties, l1, l2, dimension }: DiscreteGaussianEvent): RenyiCurve {
  const spread = Math.sqrt(parties * sigma2);
  const away = awayFromGaussian(sigma2, parties);
  const [one, two] = [wholeL1({ l1, l2, dimension }) / spread, l2 / spread];
  return RDP_ORDERS.map((order) =>
    Math.min(
      (order / 2) * two * two + away * dimension,
      (order / 2) * (two * two + 2 * one * away + away * away * dimension),
      (order / 2) * (two + Math.sqrt(dimension) * away) ** 2,
    ),
  );
}

/** How far the sum of discrete Gaussian values is from one, at the most, in the logarithm (τ there). */
function awayFromGaussian(sigma2: number, parties: number): number {
  let sum = 0;
  // Terms fall towards e^(−2π²σ²); from 1,000 on all are taken to be as large as that one's.
  const listed = Math.min(parties - 1, 1_000);
  const term = (k: number): number => Math.exp((-2 * Math.PI * Math.PI * sigma2 * k) / (k + 1));
  for (let k = 1; k <= listed; k += 1) sum += term(k);
  return 10 * (sum + (parties - 1 - listed) * term(Math.max(1, listed)));
}

/** Agarwal, Kairouz, Liu 2021, corollary 3.6, which is about whole orders. */
function skellamRdp({ mu, l1, l2, dimension }: SkellamEvent): RenyiCurve {
  const one = wholeL1({ l1, l2, dimension });
  const square = l2 * l2;
  const moment = (order: number): number =>
    (order - 1) *
    ((order * square) / (2 * mu) +
      Math.min(((2 * order - 1) * square + 6 * one) / (4 * mu * mu), (3 * one) / (2 * mu)));
  return RDP_ORDERS.map((order) => {
    // (order − 1) · divergence is convex in the order: between two whole ones it is at most the line.
    const low = Math.floor(order);
    const part = order - low;
    return (part === 0 ? moment(order) : (1 - part) * moment(low) + part * moment(low + 1)) / (order - 1);
  });
}

/** The L1 sensitivity of whole numbers is at most the square of the L2 sensitivity, and at most that times the root of their count. */
function wholeL1({ l1, l2, dimension }: { l1: number; l2: number; dimension: number }): number {
  return Math.min(l1, l2 * l2, Math.sqrt(dimension) * l2);
}
