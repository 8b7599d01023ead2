import type { LossDistribution } from './loss-distribution.ts';

/** A pair of discrete distributions P and Q, outcome by outcome, by growing loss log(P/Q). */
export interface Atoms {
  readonly losses: Float64Array;
  /** Of P. */
  readonly masses: Float64Array;
  /** Mass of P where Q has none, or where nobody looked. */
  readonly infinity: number;
}

/** A loss this near to a point of the grid, in intervals, lies on it: a few units of the last place. */
const ON_GRID = 1e-9;

/** Pessimistic: each outcome becomes one of two neighbours on the grid, so that P and Q keep theirs (as “Connect the dots” has it). */
export function spreadAtoms({ losses, masses, infinity }: Atoms, interval: number): LossDistribution {
  const first = Math.floor((losses[0] as number) / interval + ON_GRID);
  const last = Math.ceil((losses.at(-1) as number) / interval - ON_GRID);
  const probs = new Float64Array(last - first + 1);
  const whole = -Math.expm1(-interval);
  for (let i = 0; i < losses.length; i += 1) {
    const mass = masses[i] as number;
    const place = (losses[i] as number) / interval - first;
    const at = Math.floor(place + ON_GRID);
    const part = place - at;
    // What stays below keeps Q: 1 = (1 − λ) + λ, e^−loss = (1 − λ)·e^−low + λ·e^−high.
    const above = part <= ON_GRID ? 0 : (mass * -Math.expm1(-part * interval)) / whole;
    probs[at] = (probs[at] as number) + mass - above;
    if (above > 0) probs[at + 1] = (probs[at + 1] as number) + above;
  }
  return { interval, first, probs, infinity };
}
