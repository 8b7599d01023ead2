import { normalTails, type Tails } from './normal.ts';

/** How much of P (`upper`) and of Q lies below an outcome and above it. */
export interface PairTails {
  readonly upper: Tails;
  readonly lower: Tails;
}

/** A pair of distributions P and Q over the reals whose loss log(dP/dQ) does not fall as the outcome grows. */
export interface GrowingPair {
  readonly tailsAt: (outcome: number) => PairTails;
  readonly lossOf: (outcome: number) => number;
  /** The greatest outcome at which the loss is at most `loss`; −∞ below the least loss, ∞ from the greatest on. */
  readonly outcomeOf: (loss: number) => number;
  /** Outcomes beyond which there is less than what was asked for of either. */
  readonly range: readonly [number, number];
}

/**
 * Poisson-sampled Gaussian noise on a sum of sensitivity 1: the record is there under P and not under Q. Beyond the range lies at most `tail` of
 * either.
 */
export function sampledGaussianPair(q: number, sigma: number, tail: number): GrowingPair {
  const tailsAt = (x: number): PairTails => {
    const [lower, moved] = [normalTails(x / sigma), normalTails((x - 1) / sigma)];
    if (q === 1) return { upper: moved, lower };
    const below = (1 - q) * lower.below + q * moved.below;
    return { upper: { below, above: (1 - q) * lower.above + q * moved.above }, lower };
  };
  // Losses of which e^loss is no number count as having no bound.
  const farthest = 0.5 + MOST_LOSS * sigma * sigma;
  const [low, high] = [
    reachOf((z) => normalTails(-z).below, tail),
    reachOf((z) => tailsAt(1 + sigma * z).upper.above, tail),
  ];
  return {
    tailsAt,
    lossOf: (x) => Math.log1p(q * Math.expm1((2 * x - 1) / (2 * sigma * sigma))),
    outcomeOf: (loss) => {
      const ratio = 1 + Math.expm1(loss) / q;
      return ratio <= 0 ? -Infinity : 0.5 + sigma * sigma * Math.log(ratio);
    },
    range: [Math.max(-sigma * low, 1 - farthest), Math.min(1 + sigma * high, farthest)],
  };
}

/** Laplace noise of scale `scale` on a value that moves by 1. */
export function laplacePair(scale: number, tail: number): GrowingPair {
  const about = (x: number): Tails => {
    const small = 0.5 * Math.exp(-Math.abs(x) / scale);
    return x < 0 ? { below: small, above: 1 - small } : { below: 1 - small, above: small };
  };
  const reach = scale * -Math.log(2 * Math.min(tail, 0.25));
  return {
    tailsAt: (x) => ({ upper: about(x - 1), lower: about(x) }),
    lossOf: (x) => (2 * Math.min(1, Math.max(0, x)) - 1) / scale,
    outcomeOf: (loss) => {
      const x = (loss * scale + 1) / 2;
      return x < 0 ? -Infinity : x >= 1 ? Infinity : x;
    },
    range: [-reach, 1 + reach],
  };
}

const MOST_LOSS = 600;
const STEP = 0.1;
/** Beyond which a normal distribution has nothing that a double can hold. */
const FARTHEST = 38;

/** In standard deviations, where the rest is at most `tail`. */
function reachOf(restAt: (z: number) => number, tail: number): number {
  let z = 0;
  while (z < FARTHEST && restAt(z) > tail) z += STEP;
  return z;
}
