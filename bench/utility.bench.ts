import { rounded, type Row } from './row.ts';
import { loadNow } from './measure.ts';
import { calibrate, compareNoised, comparePlain, type Compared, type Experiment } from './utility/experiment.ts';
import { breastCancer, digits } from './utility/experiments.ts';
import { planFashion, TARGET } from './utility/fashion.ts';

export const description =
  'test accuracy, federated beside pooled: breast-cancer and digits with and without noise, Fashion-MNIST by DP-SGD at epsilon 2.7 (most of an hour)';

const SEEDS = 10;
const FASHION_SEEDS = 3;
const WIDTH = 20;
const PRIVACY = { epsilon: 3, delta: 1e-5 };
const points = { unit: 'pp', peer: null } as const;
const percent = { unit: '%', peer: null } as const;
/** Published accuracies at epsilon 2.7, delta 1e-5. */
const FASHION_PEER =
  'tempered sigmoids 86.1 (Papernot et al. 2021), ScatterNet and linear 89.7 (Tramèr and Boneh 2021)';

/**
 * Rows `pooled`, `federated` (means over seeds, with the spread) and `gap` (pooled less federated, in percentage points), without noise and at one epsilon, there also with both by one accountant; `fashion`. What is not installed is left out
 * and said on stderr.
 */
export async function* run(): AsyncGenerator<Row> {
  const experiments = [breastCancer(), digits()].filter((experiment) => experiment !== undefined);
  if (experiments.length < 2) console.error('digits: left out, Debian package python3-sklearn is not installed');
  for (const experiment of experiments) {
    yield* compared(
      experiment,
      { epsilon: 'none' },
      seeds((seed) => comparePlain(experiment, seed)),
      1,
    );
    const noise = calibrate(experiment, PRIVACY, WIDTH);
    const params = { ...PRIVACY, bits: WIDTH, sigma_central: rounded(noise.sigma) };
    const runs = seeds((seed) => compareNoised(experiment, noise, seed));
    yield* compared(experiment, params, runs, 0.5);
    const byRenyi = runs.map(({ pooledByRenyi, federated }) => ({ pooled: pooledByRenyi, federated }));
    yield* compared(
      experiment,
      { ...params, sigma_central: rounded(noise.sigmaByRenyi), accountant: 'rdp' },
      byRenyi,
      0.5,
    );
  }
  yield* fashionRows();
}

function seeds<Result>(once: (seed: number) => Result): Result[] {
  return Array.from({ length: SEEDS }, (_, seed) => once(seed + 1));
}

function* compared(
  { name, clients }: Experiment,
  params: Row['params'],
  runs: readonly Compared[],
  most: number,
): Generator<Row> {
  const pooled = summary(runs.map((run) => run.pooled));
  const federated = summary(runs.map((run) => run.federated));
  const common = { data: name, clients, seeds: SEEDS, ...params };
  yield { ...percent, name: 'pooled', value: pooled.mean, goal: null, params: { ...common, sd: pooled.deviation } };
  yield {
    ...percent,
    name: 'federated',
    value: federated.mean,
    goal: null,
    params: { ...common, sd: federated.deviation },
  };
  yield { ...points, name: 'gap', value: pooled.mean - federated.mean, goal: { atMost: most }, params: common };
}

function* fashionRows(): Generator<Row> {
  const plan = planFashion();
  if (plan === undefined) {
    console.error('fashion: left out, Debian package dataset-fashion-mnist is not installed');
    return;
  }
  const { sigma, steps, sample, pldUpper, rdp } = plan;
  const accuracies = [...plan.runs(FASHION_SEEDS)].map(({ accuracy }) => accuracy);
  const { mean, deviation } = summary(accuracies);
  yield {
    ...percent,
    name: 'fashion',
    value: mean,
    goal: { atLeast: 86.1 },
    peer: FASHION_PEER,
    params: {
      epsilon: rounded(pldUpper),
      delta: TARGET.delta,
      epsilon_rdp: rounded(rdp),
      sigma: rounded(sigma),
      sample: rounded(sample),
      steps,
      seeds: FASHION_SEEDS,
      sd: deviation,
      worst: rounded(100 * Math.min(...accuracies)),
      load: loadNow(),
    },
  };
}

/** Mean and standard deviation, in percent. */
function summary(shares: readonly number[]): { mean: number; deviation: number } {
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const square = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / Math.max(1, shares.length - 1);
  return { mean: 100 * mean, deviation: rounded(100 * Math.sqrt(square)) };
}
