import { inNumbers, numberOf } from '@ringfence/protocol/federation';
import type { Contract } from '@ringfence/protocol/statements';
import { seedNumber, type FederationTerms } from './round/federation-terms.ts';

/** What the job is told of local training: all of it is the contract's. */
export function jobConfig(terms: FederationTerms): object {
  const seed = seedNumber(terms);
  const { code, evaluation, privacy } = terms.contract;
  if (code.kind === 'own') return { seed };
  const heldOut = evaluation?.heldOut === undefined ? {} : { heldOut: numberOf(evaluation.heldOut) };
  return {
    seed,
    ...heldOut,
    model: code.model,
    data: dataConfig(code.data, terms.contract),
    train: trainConfig(terms.contract),
    ...(privacy.noise === null ? {} : { noised: true }),
  };
}

/** One step of DP-SGD where rows or persons are hidden by noise, else passes over the data. */
function trainConfig({ code, privacy, strategy }: Contract): object {
  const { unit, noise } = privacy;
  if (noise !== null && unit.kind !== 'organisation')
    return { method: 'gradients', sample: numberOf(noise.sampleRate), clip: numberOf(privacy.clip) };
  if (code.kind === 'own') return {};
  const { epochs, batchSize, learningRate } = code.training;
  const proximal = strategy.kind === 'fedprox' ? { proximal: numberOf(strategy.mu) } : {};
  return { method: 'epochs', epochs, batch: batchSize, rate: numberOf(learningRate), ...proximal };
}

/** Names of columns and classes stay as they are: they may look like numbers. */
function dataConfig(data: Extract<Contract['code'], { kind: 'embedded' }>['data'], { privacy }: Contract): object {
  const { features, ...rest } = data;
  const { unit, noise } = privacy;
  const person =
    unit.kind === 'person' && noise !== null ? { column: unit.column, mostRows: unit.mostRows } : undefined;
  return {
    ...rest,
    features: features.map(({ column, subtract, divide }) => ({ column, ...inNumbers({ subtract, divide }) })),
    ...(person === undefined ? {} : { person }),
  };
}
