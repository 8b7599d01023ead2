export { accuracyOf, evaluate, type Evaluation } from './evaluate.ts';
export { allRows, pickRows, rowCount, type Batch, type Examples } from './examples.ts';
export { holdOut, type HeldOut } from './hold-out.ts';
export {
  initialModel,
  inputsOf,
  parameterCount,
  type Activation,
  type CnnSpec,
  type MlpSpec,
  type ModelSpec,
  type SoftmaxSpec,
} from './model-spec.ts';
export { NoisedSum, type NoiseTerms } from './noised-sum.ts';
export { descendPrivately, type DescentInput, type PrivateDescent } from './private-descent.ts';
export { poissonSample, shuffled } from './sampling.ts';
export { scatterRows } from './scattering/prepare.ts';
export {
  trainRound,
  type GradientSum,
  type LocalTraining,
  type RoundInput,
  type RoundResult,
  type TrainConfig,
} from './train-round.ts';
export { readTable, type PersonColumn, type TableSchema, type TrainingTable } from './table/read-table.ts';
