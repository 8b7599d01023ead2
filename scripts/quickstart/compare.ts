// What the federated model is worth: beside each site alone and beside all rows in one place. Computed here, where the example's rows all are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRng } from '@ringfence/base';
import { calibrateNoise } from '@ringfence/dp/accountant';
import {
  accuracyOf,
  descendPrivately,
  evaluate,
  initialModel,
  readTable,
  trainRound,
  type Examples,
  type ModelSpec,
} from '@ringfence/fl/trainer';
import { inNumbers, numberOf } from '@ringfence/protocol/federation';
import type { Contract } from '@ringfence/protocol/statements';
import { dealRows } from '../../examples/federation/split.ts';

/** Shares of the held-out rows that a model calls right. */
export interface Compared {
  readonly heldOut: number;
  readonly federated: number;
  /** Means over the sites, of some runs each: at the contract's epsilon as the federated model, and without noise. */
  readonly alone: number;
  readonly aloneWithoutNoise: number;
  /** All rows in one place, without noise. */
  readonly pooled: number;
}

const PLAIN = { method: 'epochs', epochs: 20, batch: 16, rate: 0.05 } as const;
/** Noise makes one run differ from the next. */
const RUNS = 3;
/** Of the mean gradient, as the plan's rate over all sites. */
const RATE = 2;

/** Compares the model in `folder`, which a client of `terms` brought home. */
export function compareModels(terms: Contract, folder: string): Compared {
  const { code } = terms;
  if (code.kind !== 'embedded') throw new TypeError('the example’s model is one of the trainer’s own');
  const { model: spec, data } = code;
  const features = data.features.map(({ column, ...by }) => ({ column, ...inNumbers(by) }));
  const read = (text: string): Examples => readTable(text, { ...data, features }).examples;
  const dealt = dealRows();
  const [sites, test] = [dealt.sites.map(read), read(dealt.heldOut)];
  const accuracy = (weights: Float32Array): number => accuracyOf(evaluate(spec, weights, test));
  const noised = sites.flatMap((site) => Array.from({ length: RUNS }, () => accuracy(trainAlone(terms, spec, site))));
  return {
    heldOut: test.labels.length,
    federated: accuracy(readModel(join(folder, 'model.safetensors'))),
    alone: mean(noised),
    aloneWithoutNoise: mean(sites.map((site) => accuracy(trainPlainly(spec, site)))),
    pooled: accuracy(trainPlainly(spec, together(sites))),
  };
}

/** One site's own training at the privacy that the contract promises: as many steps, noise for the same epsilon. */
function trainAlone({ rounds, privacy }: Contract, spec: ModelSpec, examples: Examples): Float32Array {
  const { budget, clip } = privacy;
  if (budget === null) throw new TypeError('the example has noise');
  const steps = rounds.count;
  const target = { epsilon: numberOf(budget.epsilon), delta: numberOf(budget.delta) };
  const multiplier = calibrateNoise((sigma) => [{ type: 'gaussian', sigma, steps }], target);
  const start = initialModel(spec, systemRng);
  const descent = { steps, sample: 1, clip: numberOf(clip), multiplier, rate: RATE, momentum: 0 };
  return descendPrivately({ spec, start, examples, rng: systemRng }, descent);
}

function trainPlainly(spec: ModelSpec, examples: Examples): Float32Array {
  const weights = initialModel(spec, systemRng);
  const { delta } = trainRound({ spec, weights, examples, config: PLAIN, rng: systemRng });
  return weights.map((weight, at) => weight + (delta[at] ?? 0));
}

function together(sites: readonly Examples[]): Examples {
  return {
    rows: Float32Array.from(sites.flatMap(({ rows }) => [...rows])),
    labels: Uint16Array.from(sites.flatMap(({ labels }) => [...labels])),
    inputs: sites[0]?.inputs ?? 0,
  };
}

/** The one tensor of a safetensors file: u64 length of the header, the header, float32 values. */
function readModel(path: string): Float32Array {
  const bytes = readFileSync(path);
  const from = 8 + Number(bytes.readBigUInt64LE(0));
  return Float32Array.from({ length: (bytes.length - from) / 4 }, (_, at) => bytes.readFloatLE(from + at * 4));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
