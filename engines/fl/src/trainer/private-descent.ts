import type { Rng } from '@ringfence/base';
import { checkUnits } from './clipped-sum.ts';
import { rowCount, type Examples } from './examples.ts';
import { parameterCount, type ModelSpec } from './model-spec.ts';
import { networkOf } from './network.ts';
import { NoisedSum } from './noised-sum.ts';
import { poissonSample } from './sampling.ts';

/** DP-SGD where all rows are in one place (Abadi et al. 2016); its loss of privacy is that of `steps` Gaussian mechanisms with `multiplier`, each on a Poisson sample. */
export interface PrivateDescent {
  readonly steps: number;
  /** Probability with which a row is in a step's sample. */
  readonly sample: number;
  /** L2 norm that each row's gradient is cut to. */
  readonly clip: number;
  /** Standard deviation of the noise in clipping norms. */
  readonly multiplier: number;
  readonly rate: number;
  readonly momentum: number;
}

/** What is trained, from which weights. */
export interface DescentInput {
  readonly spec: ModelSpec;
  readonly start: Float32Array;
  readonly examples: Examples;
  readonly rng: Rng;
  /** Hears of each step that was made. */
  readonly onStep?: (step: number) => void;
}

/** The weights after all steps. Every one of them is released, so all that is known of the rows is in the noised sums. Throws FlError `bad-data` for more rows than are summed exactly. */
export function descendPrivately(
  { spec, start, examples, rng, onStep }: DescentInput,
  descent: PrivateDescent,
): Float32Array {
  const { steps, sample, clip, multiplier, rate, momentum } = descent;
  checkUnits(rowCount(examples));
  const network = networkOf(spec);
  const noise = new NoisedSum({ dimension: parameterCount(spec), clip, multiplier }, rng);
  const weights = start.slice();
  const velocity = new Float32Array(weights.length);
  const sum = new Float64Array(weights.length);
  // The expected size of a sample, not what it came to: that would tell of it.
  const share = 1 / (sample * rowCount(examples));
  for (let step = 1; step <= steps; step += 1) {
    sum.fill(0);
    const picks = poissonSample(rowCount(examples), sample, rng);
    network.addClippedGradients(weights, { examples, picks }, clip, sum);
    const released = noise.release(sum);
    for (let at = 0; at < weights.length; at += 1) {
      const speed = momentum * (velocity[at] as number) + (released[at] as number) * share;
      velocity[at] = speed;
      weights[at] = (weights[at] as number) - rate * speed;
    }
    onStep?.(step);
  }
  return weights;
}
