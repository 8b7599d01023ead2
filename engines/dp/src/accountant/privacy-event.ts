/**
 * What one use of data did, as an accountant counts it. Numbers alone, so that a ledger can keep it as JSON. Sensitivities are how far one privacy unit can
 * move what is released, under the relation that the ledger counts by; `steps` is how often it was done, a whole number of at least 1.
 */
export type PrivacyEvent =
  | SampledGaussianEvent
  | GaussianEvent
  | LaplaceEvent
  | DiscreteGaussianEvent
  | SkellamEvent
  | TreeEvent
  | PureEvent;

/** Each step on a Poisson sample of the records of rate `q`, 0 < q ≤ 1; noise of standard deviation `sigma`, in sensitivities. */
export interface SampledGaussianEvent {
  readonly type: 'sampled-gaussian';
  readonly q: number;
  readonly sigma: number;
  readonly steps: number;
}

/** Noise of standard deviation `sigma`, in sensitivities, on everything. */
export interface GaussianEvent {
  readonly type: 'gaussian';
  readonly sigma: number;
  readonly steps: number;
}

/** Noise of density e^(−|x|/`scale`), the scale in L1 sensitivities. */
export interface LaplaceEvent {
  readonly type: 'laplace';
  readonly scale: number;
  readonly steps: number;
}

/**
 * Whole numbers, each with the sum of `parties` independent discrete Gaussian values of parameter `sigma2` (≥ 1/4 when there is more than one party);
 * `l1` and `l2` are the sensitivities of the whole vector of `dimension` numbers.
 */
export interface DiscreteGaussianEvent {
  readonly type: 'discrete-gaussian';
  readonly sigma2: number;
  readonly parties: number;
  readonly l1: number;
  readonly l2: number;
  readonly dimension: number;
  readonly steps: number;
}

/** Whole numbers, each with Skellam noise of variance `mu` in all (the sum over those who add some); sensitivities as above, rounding included. */
export interface SkellamEvent {
  readonly type: 'skellam';
  readonly mu: number;
  readonly l1: number;
  readonly l2: number;
  readonly dimension: number;
  readonly steps: number;
  /** Probability with which a step moves further than the sensitivities say, whatever the noise; 0 where it is left out. */
  readonly slip?: number;
}

/**
 * All prefix sums of a stream of `leaves` values, from binary trees over it with noise of standard deviation `sigma` (in sensitivities) in each node, anew in each of
 * `restarts` trees; one privacy unit is in at most one leaf of each tree.
 */
export interface TreeEvent {
  readonly type: 'tree';
  readonly sigma: number;
  readonly leaves: number;
  readonly restarts: number;
}

/** Anything that is `epsilon`-private with delta 0, each time. */
export interface PureEvent {
  readonly type: 'pure';
  readonly epsilon: number;
  readonly steps: number;
}
