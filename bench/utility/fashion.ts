import { seededRng } from '@ringfence/base';
import { calibrateNoise, epsilonOf } from '@ringfence/dp/accountant';
import {
  accuracyOf,
  descendPrivately,
  evaluate,
  initialModel,
  rowCount,
  scatterRows,
  type ModelSpec,
} from '@ringfence/fl/trainer';
import { readFashion } from './image-files.ts';

export const TARGET = { epsilon: 2.7, delta: 1e-5 };
/** Chosen on 10,000 of the training rows held out, not on the test rows (docs/federated-utility.md). */
const SETTINGS = { batch: 8_192, steps: 293, clip: 0.1, rate: 8, momentum: 0.9, groups: 27 };

/** One run's outcome. */
export interface FashionRun {
  readonly seed: number;
  readonly accuracy: number;
}

/** What all runs have in common. */
export interface FashionPlan {
  readonly sigma: number;
  readonly steps: number;
  readonly sample: number;
  readonly pldUpper: number;
  readonly rdp: number;
  runs(seeds: number): Iterable<FashionRun>;
}

/** Softmax regression on scattering coefficients by DP-SGD, calibrated to {@link TARGET}; undefined where the data is not installed. */
export function planFashion(): FashionPlan | undefined {
  const data = readFashion();
  if (data === undefined) return undefined;
  const { batch, steps, clip, rate, momentum, groups } = SETTINGS;
  const sample = batch / rowCount(data.train);
  const eventsAt = (sigma: number) => [{ type: 'sampled-gaussian', q: sample, sigma, steps }] as const;
  const sigma = calibrateNoise(eventsAt, TARGET);
  const bounds = epsilonOf(eventsAt(sigma), TARGET.delta);
  return {
    sigma,
    steps,
    sample,
    pldUpper: bounds.pldUpper ?? Infinity,
    rdp: bounds.rdp,
    *runs(seeds) {
      const train = scatterRows(data.train, groups);
      const test = scatterRows(data.test, groups);
      const spec: ModelSpec = { kind: 'softmax', inputs: train.inputs, classes: 10 };
      for (let seed = 1; seed <= seeds; seed += 1) {
        const rng = seededRng(`utility fashion ${seed}`);
        const weights = descendPrivately(
          { spec, start: initialModel(spec, rng), examples: train, rng },
          { steps, sample, clip, multiplier: sigma, rate, momentum },
        );
        yield { seed, accuracy: accuracyOf(evaluate(spec, weights, test)) };
      }
    },
  };
}
