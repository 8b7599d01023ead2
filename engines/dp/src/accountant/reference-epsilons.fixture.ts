import type { SampledGaussianRun } from './sampled-gaussian.ts';

/** A run with what google/differential-privacy's dp_accounting (commit b5b0286e, Poisson, add or remove; PLD grid 1e−4) says of it. */
export interface ReferenceEpsilon {
  readonly run: SampledGaussianRun;
  readonly delta: number;
  readonly rdp: number;
  readonly pld: number;
  /** It leaves out orders whose series it does not finish: its value is then above the least one. */
  readonly dropsOrders?: true;
}

const row = (
  [q, sigma, steps]: readonly [number, number, number],
  delta: number,
  [rdp, pld, drops]: readonly [number, number, true?],
): ReferenceEpsilon => ({
  run: { q, sigma, steps },
  delta,
  rdp,
  pld,
  ...(drops === undefined ? {} : { dropsOrders: true }),
});

const MNIST = 256 / 60_000;

export const REFERENCE_EPSILONS: readonly ReferenceEpsilon[] = [
  row([1, 1, 1], 1e-5, [4.728507, 4.377178]),
  row([1, 1, 10], 1e-5, [19.053598, 17.856587]),
  row([1, 2, 10], 1e-6, [8.846874, 8.306225]),
  row([1, 5, 100], 1e-5, [10.72551, 9.997256]),
  row([0.01, 0.8, 1_000], 1e-5, [3.695613, 3.141018, true]),
  row([0.01, 1, 1_000], 1e-5, [2.101367, 1.828244]),
  row([0.01, 1, 10_000], 1e-5, [6.712757, 6.187745, true]),
  row([0.01, 2, 10_000], 1e-5, [2.352913, 2.162774]),
  row([0.01, 4, 10_000], 1e-5, [1.03549, 0.946999]),
  row([0.001, 0.7, 10_000], 1e-6, [2.47304, 1.636972]),
  row([0.001, 1, 100_000], 1e-6, [2.004046, 1.861996]),
  row([0.02, 0.6, 500], 1e-4, [10.107339, 8.577129, true]),
  row([0.1, 1, 100], 1e-5, [7.90385, 7.046603, true]),
  row([0.1, 2, 300], 1e-5, [4.564302, 4.183305, true]),
  row([0.5, 4, 200], 1e-5, [9.673422, 8.819434, true]),
  row([MNIST, 1.3, 3_510], 1e-5, [0.953757, 0.863807]),
  row([MNIST, 1.1, 14_040], 1e-5, [2.594363, 2.379644]),
  row([MNIST, 0.7, 10_530], 1e-5, [6.314928, 5.635129, true]),
];
