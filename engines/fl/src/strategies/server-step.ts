import type { InNumbers, StrategySpec } from '@ringfence/protocol/federation';
import { FlError } from '../fl-error.ts';

/** A contract's strategy, in numbers. */
export type Strategy = InNumbers<StrategySpec>;

/** All that the next round needs: kept whole, a federation goes on exactly where it stopped. */
export interface ServerState {
  /** Rounds that are in the model. */
  readonly rounds: number;
  readonly model: Float64Array;
  /** Decayed sum of differences; empty where the strategy keeps none. */
  readonly momentum: Float64Array;
  /** What FedOpt divides by, squared; empty where the strategy keeps none. */
  readonly squares: Float64Array;
}

const NONE = new Float64Array(0);

/** The state before the first round. FedOpt starts its squares at tau², as Reddi et al. (2021) allow, so that the first step is not a leap. */
export function startServer(strategy: Strategy, model: Float32Array | Float64Array): ServerState {
  const start = Float64Array.from(model);
  const zeros = new Float64Array(start.length);
  const base = { rounds: 0, model: start };
  switch (strategy.kind) {
    case 'fedavg':
      return { ...base, momentum: strategy.momentum === 0 ? NONE : zeros, squares: NONE };
    case 'fedprox':
      return { ...base, momentum: NONE, squares: NONE };
    case 'fedadam':
    case 'fedyogi':
      return { ...base, momentum: zeros, squares: new Float64Array(start.length).fill(strategy.tau ** 2) };
    case 'fedadagrad':
      return { ...base, momentum: NONE, squares: new Float64Array(start.length).fill(strategy.tau ** 2) };
  }
}

/**
 * The model after a round, from the mean of the clients' differences to it: FedAvg and FedProx add it, times the rate (McMahan et al. 2017, Li et al. 2020; with momentum Hsu et al.
 * 2019); FedAdam, FedYogi and FedAdagrad take it for minus a gradient (Reddi et al. 2021, algorithm 2). Throws FlError `bad-size` and, for a mean that is not finite, `bad-update`.
 */
export function serverStep(strategy: Strategy, state: ServerState, mean: Float64Array): ServerState {
  if (mean.length !== state.model.length) throw new FlError('bad-size', 'the mean is not of this model');
  if (!mean.every(Number.isFinite)) throw new FlError('bad-update', 'the mean has a number that is not finite');
  const rounds = state.rounds + 1;
  switch (strategy.kind) {
    case 'fedavg': {
      if (state.momentum.length === 0) return { ...state, rounds, model: moved(state.model, strategy.rate, mean) };
      const momentum = state.momentum.map((kept, at) => strategy.momentum * kept + entry(mean, at));
      return { ...state, rounds, momentum, model: moved(state.model, strategy.rate, momentum) };
    }
    case 'fedprox':
      return { ...state, rounds, model: moved(state.model, strategy.rate, mean) };
    case 'fedadam':
    case 'fedyogi':
    case 'fedadagrad':
      return { rounds, ...adapt(strategy, state, mean) };
  }
}

type Adaptive = Extract<Strategy, { kind: 'fedadam' | 'fedyogi' | 'fedadagrad' }>;

function adapt(strategy: Adaptive, state: ServerState, mean: Float64Array): Omit<ServerState, 'rounds'> {
  const isAdagrad = strategy.kind === 'fedadagrad';
  const momentum = isAdagrad
    ? NONE
    : state.momentum.map((kept, at) => strategy.beta1 * kept + (1 - strategy.beta1) * entry(mean, at));
  const squares = state.squares.map((kept, at) => nextSquare(strategy, kept, entry(mean, at) ** 2));
  const direction = isAdagrad ? mean : momentum;
  const model = state.model.map(
    (weight, at) => weight + (strategy.rate * entry(direction, at)) / (Math.sqrt(entry(squares, at)) + strategy.tau),
  );
  return { model, momentum, squares };
}

function nextSquare(strategy: Adaptive, kept: number, square: number): number {
  switch (strategy.kind) {
    case 'fedadagrad':
      return kept + square;
    case 'fedadam':
      return strategy.beta2 * kept + (1 - strategy.beta2) * square;
    case 'fedyogi':
      return kept - (1 - strategy.beta2) * square * Math.sign(kept - square);
  }
}

function moved(model: Float64Array, rate: number, by: Float64Array): Float64Array {
  return model.map((weight, at) => weight + rate * entry(by, at));
}

function entry(values: Float64Array, at: number): number {
  return values[at] as number;
}
