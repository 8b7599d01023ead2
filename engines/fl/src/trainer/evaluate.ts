import { allRows, rowCount, type Examples } from './examples.ts';
import type { ModelSpec } from './model-spec.ts';
import { networkOf } from './network.ts';

/** How a model does on rows: sums, so that organisations' can be added under secure aggregation. */
export interface Evaluation {
  readonly examples: number;
  readonly correct: number;
  /** Sum of cross entropies. */
  readonly loss: number;
}

/** Tests a model on all rows. */
export function evaluate(spec: ModelSpec, weights: Float32Array | Float64Array, examples: Examples): Evaluation {
  const { loss, correct } = networkOf(spec).score(Float32Array.from(weights), allRows(examples));
  return { examples: rowCount(examples), correct, loss };
}

/** Share of rows named rightly, 0 for no rows. */
export function accuracyOf({ examples, correct }: Evaluation): number {
  return examples === 0 ? 0 : correct / examples;
}
