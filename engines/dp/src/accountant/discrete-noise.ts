import type { Atoms } from './atoms.ts';

/** Noise of more than this standard deviation has too many outcomes to list. */
export const WIDEST = 20_000;

/** Discrete Gaussian noise of parameter `sigma2` on a whole number that moves by `shift` ≥ 1; beyond the list lies at most `tail`. */
export function discreteGaussianAtoms(sigma2: number, shift: number, tail: number): Atoms {
  const reach = shift + Math.ceil(Math.sqrt(2 * sigma2 * -Math.log(tail)));
  return shiftedAtoms(reach, shift, (size) => -(size * size) / (2 * sigma2));
}

/** Skellam noise of variance `mu` on the same. */
export function skellamAtoms(mu: number, shift: number, tail: number): Atoms {
  // Bennett: P(X > t) ≤ e^(−t²/(2(µ + t))) or less.
  const log = -Math.log(tail);
  const reach = shift + Math.ceil(log + Math.sqrt(log * log + 2 * mu * log));
  const weights = logBessels(mu, reach + shift);
  return shiftedAtoms(reach, shift, (size) => weights[size] as number);
}

/** What is `epsilon`-private and no better: the truth about one bit with probability e^ε/(1 + e^ε) (Kairouz, Oh, Viswanath 2015). */
export function pureAtoms(epsilon: number): Atoms {
  const truth = 1 / (1 + Math.exp(-epsilon));
  return {
    losses: Float64Array.of(-epsilon, epsilon),
    masses: Float64Array.of(truth * Math.exp(-epsilon), truth),
    infinity: 0,
  };
}

/** P is Q moved by `shift`; both are log-concave, so that the loss grows with the outcome. `logWeight` is that of a value's size, up to a constant. */
function shiftedAtoms(reach: number, shift: number, logWeight: (size: number) => number): Atoms {
  const count = 2 * reach + 1;
  const [losses, masses] = [new Float64Array(count), new Float64Array(count)];
  const top = logWeight(0);
  let total = 0;
  for (let at = 0; at < count; at += 1) {
    const [p, q] = [logWeight(Math.abs(at - reach)), logWeight(Math.abs(at - reach + shift))];
    losses[at] = p - q;
    masses[at] = Math.exp(p - top);
    total += masses[at] as number;
  }
  for (let at = 0; at < count; at += 1) masses[at] = (masses[at] as number) / total;
  return { losses, masses, infinity: 0 };
}

/** log I_k(x)/I_0(x) for k from 0 to `most`, by the continued fraction of neighbours' ratios from far above downwards (DLMF 10.33). */
function logBessels(x: number, most: number): Float64Array {
  const ratios = new Float64Array(most + 1);
  let ratio = 0;
  for (let k = most + 50 + Math.ceil(Math.sqrt(x)); k >= 1; k -= 1) {
    ratio = 1 / ((2 * k) / x + ratio);
    if (k <= most) ratios[k] = ratio;
  }
  const logs = new Float64Array(most + 1);
  for (let k = 1; k <= most; k += 1) logs[k] = (logs[k - 1] as number) + Math.log(ratios[k] as number);
  return logs;
}
