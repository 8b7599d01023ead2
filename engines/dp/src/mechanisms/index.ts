export { bernoulli, bernoulliExp, fractionOf, type Fraction } from './bernoulli.ts';
export { discreteGaussian } from './discrete-gaussian.ts';
export { discreteLaplace } from './discrete-laplace.ts';
export { GaussianNoise } from './gaussian-noise.ts';
export { poissonTable, type PoissonTable } from './poisson-table.ts';
export { Skellam } from './skellam.ts';
