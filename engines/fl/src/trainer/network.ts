import type { BatchLoss } from './class-loss.ts';
import { ConvolutionalNetwork } from './convolutional-network.ts';
import { DenseNetwork } from './dense-network.ts';
import type { Batch } from './examples.ts';
import type { ModelSpec } from './model-spec.ts';

/** A model's arithmetic. It keeps room for a block of rows, so it is made once and used often; it holds no weights. */
export interface Network {
  /** Loss and hits of a batch. */
  score(weights: Float32Array, batch: Batch): BatchLoss;
  /** Adds each row's gradient, as it is, to `gradient`. */
  addGradients(weights: Float32Array, batch: Batch, gradient: Float32Array): BatchLoss;
  /**
   * Adds each row's gradient, scaled down to an L2 norm of at most `clip`, to `sum`, which counts whole steps of `gridStep(clip)`. Adding or taking away one row changes it by that
   * row's steps exactly (Abadi et al. 2016); a row whose gradient is not finite adds nothing.
   */
  addClippedGradients(weights: Float32Array, batch: Batch, clip: number, sum: Float64Array): BatchLoss;
}

/** The network that a spec describes. */
export function networkOf(spec: ModelSpec): Network {
  return spec.kind === 'cnn' ? new ConvolutionalNetwork(spec) : new DenseNetwork(spec);
}
