import { epsilonOf } from './epsilon-of.ts';

/** Steps of the Gaussian mechanism, sensitivity 1, each on a Poisson sample. */
export interface SampledGaussianRun {
  /** Probability with which a record is in a step's sample, above 0 and at most 1. */
  readonly q: number;
  /** Standard deviation of the noise, in sensitivities. */
  readonly sigma: number;
  readonly steps: number;
}

/** What a run costs at one delta, add-or-remove-one record. */
export interface EpsilonBounds {
  /** By Rényi divergences: an upper bound. */
  readonly rdp: number;
  /** By privacy loss distributions: a tighter upper bound, and a lower bound. */
  readonly pldUpper: number;
  readonly pldLower: number;
}

/** The least epsilon at `delta` that each accountant vouches for, and one that none can go below. Throws DpError. */
export function epsilonOfRun(run: SampledGaussianRun, delta: number): EpsilonBounds {
  const { rdp, pldUpper, pldLower } = epsilonOf([{ type: 'sampled-gaussian', ...run }], delta);
  return { rdp, pldUpper: pldUpper ?? Infinity, pldLower: pldLower ?? 0 };
}
