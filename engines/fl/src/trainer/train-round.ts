import type { Rng } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { addClipped, checkUnits, gridStep } from './clipped-sum.ts';
import { rowCount, type Batch, type Examples } from './examples.ts';
import { parameterCount, type ModelSpec } from './model-spec.ts';
import { networkOf, type Network } from './network.ts';
import { poissonSample, shuffled } from './sampling.ts';

/** What a client does in a round: closed and JSON-safe, so that a contract holds it. */
export type TrainConfig = LocalTraining | GradientSum;

/** Some epochs of stochastic gradient descent on the client's own rows (FedAvg; FedProx with `proximal`). */
export interface LocalTraining {
  readonly method: 'epochs';
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  /** Share of the last step that the next one keeps. */
  readonly momentum?: number;
  /** Factor of half the squared weights in the loss. */
  readonly decay?: number;
  /** Factor of half the squared distance to the round's model in the loss (FedProx: Li et al. 2020). */
  readonly proximal?: number;
}

/** One step of DP-SGD: the sum of clipped gradients over a Poisson sample, downhill. What one row (or person) changes in it has an L2 norm of at most `clip`. */
export interface GradientSum {
  readonly method: 'gradients';
  /** Probability with which a row, or a person with all rows, is in the sample, above 0 and at most 1. */
  readonly sample: number;
  readonly clip: number;
}

/** What a client hands to secure aggregation. */
export interface RoundResult {
  /** The difference to the round's model (`epochs`, float32), or minus the sum of clipped gradients (`gradients`: exact in doubles, and in nothing narrower). */
  readonly delta: Float32Array | Float64Array;
  /** Rows that it was learnt from; with a Poisson sample this number is itself secret. */
  readonly examples: number;
  /** Mean cross entropy over what was seen, 0 when nothing was; secret as well with a Poisson sample, and not a number where one row's is none. */
  readonly loss: number;
}

/** What a round is trained with. */
export interface RoundInput {
  readonly spec: ModelSpec;
  readonly weights: Float32Array | Float64Array;
  readonly examples: Examples;
  readonly config: TrainConfig;
  readonly rng: Rng;
  /** For gradients by person: the rows of each. Left out, each row is a unit of its own. */
  readonly units?: readonly Uint32Array[] | undefined;
}

/** Trains for one round. Throws FlError `bad-size` where the weights are not the model's, `bad-data` for more rows or persons than are summed exactly. */
export function trainRound({ spec, weights, examples, config, rng, units }: RoundInput): RoundResult {
  if (weights.length !== parameterCount(spec))
    throw new FlError('bad-size', 'the weights are not as many as the model has');
  const run = { network: networkOf(spec), start: Float32Array.from(weights), examples, rng };
  if (config.method === 'epochs') return descend(run, config);
  return units === undefined ? sumGradients(run, config) : sumByUnit(run, config, units);
}

interface Run {
  readonly network: Network;
  readonly start: Float32Array;
  readonly examples: Examples;
  readonly rng: Rng;
}

function sumGradients({ network, start, examples, rng }: Run, { sample, clip }: GradientSum): RoundResult {
  checkUnits(rowCount(examples));
  const picks = poissonSample(rowCount(examples), sample, rng);
  const sum = new Float64Array(start.length);
  const { loss } = network.addClippedGradients(start, { examples, picks }, clip, sum);
  return {
    delta: downhill(sum, clip),
    examples: picks.length,
    loss: picks.length === 0 ? 0 : loss / picks.length,
  };
}

/** Steps as numbers, exactly: products with a power of two. */
function downhill(sum: Float64Array, clip: number): Float64Array {
  const step = gridStep(clip);
  return sum.map((steps) => -steps * step);
}

/** As {@link sumGradients}, with the mean gradient of each person's rows for one row's. */
function sumByUnit(
  { network, start, examples, rng }: Run,
  { sample, clip }: GradientSum,
  units: readonly Uint32Array[],
): RoundResult {
  checkUnits(units.length);
  const sum = new Float64Array(start.length);
  const own = new Float32Array(start.length);
  let [rows, losses] = [0, 0];
  for (const unit of poissonSample(units.length, sample, rng)) {
    const picks = units[unit] as Uint32Array;
    losses += network.addGradients(start, { examples, picks }, own.fill(0)).loss;
    rows += picks.length;
    addClipped(own, { clip, most: 1 / picks.length }, sum);
  }
  return { delta: downhill(sum, clip), examples: rows, loss: rows === 0 ? 0 : losses / rows };
}

function descend({ network, start, examples, rng }: Run, config: LocalTraining): RoundResult {
  const weights = start.slice();
  const velocity = new Float32Array(start.length);
  const count = rowCount(examples);
  let [seen, loss] = [0, 0];
  for (let epoch = 0; epoch < config.epochs; epoch += 1) {
    const order = shuffled(count, rng);
    for (let from = 0; from < count; from += config.batch) {
      const batch = { examples, picks: order.subarray(from, from + config.batch) };
      loss += step(network, { start, weights, velocity, batch }, config);
      seen += batch.picks.length;
    }
  }
  for (const [at, weight] of weights.entries()) weights[at] = weight - (start[at] as number);
  return { delta: weights, examples: count, loss: seen === 0 ? 0 : loss / seen };
}

interface Step {
  readonly start: Float32Array;
  readonly weights: Float32Array;
  readonly velocity: Float32Array;
  readonly batch: Batch;
}

/** One step downhill; the sum of the batch's losses. */
function step(network: Network, { start, weights, velocity, batch }: Step, config: LocalTraining): number {
  const { rate, momentum = 0, decay = 0, proximal = 0 } = config;
  const gradient = new Float32Array(weights.length);
  const { loss } = network.addGradients(weights, batch, gradient);
  const share = 1 / batch.picks.length;
  for (const [at, weight] of weights.entries()) {
    const slope = (gradient[at] as number) * share + decay * weight + proximal * (weight - (start[at] as number));
    const speed = momentum * (velocity[at] as number) + slope;
    velocity[at] = speed;
    weights[at] = weight - rate * speed;
  }
  return loss;
}
