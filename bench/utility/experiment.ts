// One data set, dealt to some organisations and also in one place: what each way of training comes to.
import { seededRng } from '@ringfence/base';
import {
  calibrateNoise,
  epsilonOf,
  epsilonOfRdp,
  rdpOfEvent,
  repeatRdp,
  type SkellamEvent,
} from '@ringfence/dp/accountant';
import { noiseAgainst, planEncoding, type UpdateEncoding } from '@ringfence/fl/distributed-noise';
import { simulate, type SimulationPlan } from '@ringfence/fl/simulation';
import {
  accuracyOf,
  descendPrivately,
  evaluate,
  initialModel,
  parameterCount,
  rowCount,
  shuffled,
  trainRound,
  type Examples,
  type ModelSpec,
} from '@ringfence/fl/trainer';
import { dealRows, splitRows, standardised } from './tables.ts';

/** A table and how it is trained on. */
export interface Experiment {
  readonly name: string;
  readonly examples: Examples;
  readonly spec: ModelSpec;
  readonly clients: number;
  /** Without noise: epochs over all rows in one place, and rounds of one epoch at each client. */
  readonly plain: { readonly epochs: number; readonly rounds: number; readonly batch: number; readonly rate: number };
  /** With noise: steps over all rows. */
  readonly noised: { readonly steps: number; readonly clip: number; readonly rate: number; readonly momentum: number };
}

/** Test accuracies of one seed. */
export interface Compared {
  readonly pooled: number;
  readonly federated: number;
}

/** The same with noise, and pooled with the noise that Rényi divergences alone would ask for, as they do of Skellam noise. */
export interface ComparedNoised extends Compared {
  readonly pooledByRenyi: number;
}

const MOST_DEVIATIONS = 3;
/** No update is as long as that: nothing is clipped. */
const UPDATE_NORM = 16;

/** The rows of a seed: a fifth held out, columns brought to mean 0 and deviation 1 by the others. */
export function rowsOf({ examples }: Experiment, seed: number): { train: Examples; test: Examples } {
  const { train, test } = splitRows(examples, shuffled(rowCount(examples), seededRng(`utility split ${seed}`)));
  return { train: standardised(train, train, MOST_DEVIATIONS), test: standardised(test, train, MOST_DEVIATIONS) };
}

/** Without noise: FedAvg under secure aggregation beside the same trainer with all rows in one place. */
export function comparePlain(experiment: Experiment, seed: number): Compared {
  const { spec, clients } = experiment;
  const { rounds, ...plain } = experiment.plain;
  const { train, test } = rowsOf(experiment, seed);
  const rng = seededRng(`utility plain ${seed}`);
  const { delta } = trainRound({
    spec,
    weights: initialModel(spec, rng),
    examples: train,
    config: { method: 'epochs', ...plain },
    rng,
  });
  const model = federate(
    experiment,
    {
      training: { method: 'epochs', ...plain, epochs: 1 },
      strategy: { kind: 'fedavg', rate: 1, momentum: 0 },
      encoding: planEncoding({
        dimension: parameterCount(spec),
        clients,
        clipOf: 'update',
        clip: UPDATE_NORM,
        noise: null,
      }),
      rounds,
    },
    { train, seed },
  );
  return { pooled: accuracyOf(evaluate(spec, delta, test)), federated: accuracyOf(evaluate(spec, model, test)) };
}

/** The noise of an epsilon: of one Gaussian sum, and of Skellam shares of all clients, rounding included. */
export interface Noise {
  readonly sigma: number;
  /** By Rényi divergences alone. */
  readonly sigmaByRenyi: number;
  readonly encoding: UpdateEncoding;
  readonly centralEpsilon: number;
  readonly skellamEpsilon: number;
}

/** Calibrates both to `epsilon` at `delta`, against whoever sees all sums; no amplification by sampling is counted. */
export function calibrate(experiment: Experiment, target: { epsilon: number; delta: number }, width: number): Noise {
  const { steps } = experiment.noised;
  const gaussian = (sigma: number) => [{ type: 'gaussian', sigma, steps } as const];
  const sigma = calibrateNoise(gaussian, target);
  const skellam = (multiplier: number): SkellamEvent[] => {
    const { outsiders } = noiseAgainst(encodingFor(experiment, multiplier, width), { rounds: steps });
    return outsiders === undefined ? [] : [outsiders];
  };
  const multiplier = calibrateNoise(skellam, { ...target, delta: target.delta * (1 - 1e-6) });
  return {
    sigma,
    sigmaByRenyi: sigmaByRenyi(steps, target),
    encoding: encodingFor(experiment, multiplier, width),
    centralEpsilon: epsilonOf(gaussian(sigma), target.delta).least,
    skellamEpsilon: epsilonOf(skellam(multiplier), target.delta * (1 - 1e-6)).least,
  };
}

function sigmaByRenyi(steps: number, { epsilon, delta }: { epsilon: number; delta: number }): number {
  let [low, high] = [0.1, 1_000];
  while (high - low > 1e-6 * high) {
    const sigma = (low + high) / 2;
    if (epsilonOfRdp(repeatRdp(rdpOfEvent({ type: 'gaussian', sigma, steps: 1 }), steps), delta).epsilon > epsilon)
      low = sigma;
    else high = sigma;
  }
  return high;
}

function encodingFor(
  { spec, clients, examples, noised }: Experiment,
  multiplier: number,
  width: number,
): UpdateEncoding {
  return planEncoding({
    dimension: parameterCount(spec),
    clients,
    clipOf: 'unit',
    clip: noised.clip,
    noise: { multiplier, honestMin: clients },
    width,
    unitsInUpdate: Math.ceil((rowCount(examples) * 0.8) / clients),
  });
}

/** With noise: each client's share of it under secure aggregation, beside one Gaussian sum in one place, at equal epsilon. */
export function compareNoised(experiment: Experiment, noise: Noise, seed: number): ComparedNoised {
  const { spec, clients, noised } = experiment;
  const { steps, clip, rate, momentum } = noised;
  const { train, test } = rowsOf(experiment, seed);
  const inOnePlace = (multiplier: number): number => {
    const rng = seededRng(`utility noised ${seed}`);
    const weights = descendPrivately(
      { spec, start: initialModel(spec, rng), examples: train, rng },
      { steps, sample: 1, clip, multiplier, rate, momentum },
    );
    return accuracyOf(evaluate(spec, weights, test));
  };
  const model = federate(
    experiment,
    {
      training: { method: 'gradients', sample: 1, clip },
      // The mean over clients of sums over rows: their number makes it a mean over rows.
      strategy: { kind: 'fedavg', rate: (rate * clients) / rowCount(train), momentum },
      encoding: noise.encoding,
      rounds: steps,
    },
    { train, seed },
  );
  return {
    pooled: inOnePlace(noise.sigma),
    pooledByRenyi: inOnePlace(noise.sigmaByRenyi),
    federated: accuracyOf(evaluate(spec, model, test)),
  };
}

function federate(
  { spec, clients }: Experiment,
  plan: Omit<SimulationPlan, 'spec' | 'lost' | 'sums'>,
  { train, seed }: { train: Examples; seed: number },
): Float64Array {
  const rng = seededRng(`utility federated ${seed}`);
  const rounds = simulate({ spec, lost: 0, sums: 'secure', ...plan }, dealRows(train, clients), rng);
  let model = new Float64Array(0);
  for (const { state } of rounds) model = Float64Array.from(state.model);
  return model;
}
