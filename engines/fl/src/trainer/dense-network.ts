import { slopesOfScores, type BatchLoss } from './class-loss.ts';
import { clippingFactor, gridStep } from './clipped-sum.ts';
import { addOuterProducts, addWholeProducts, applyLinear, applyTransposed, type RowViews } from './dense-kernels.ts';
import type { Batch } from './examples.ts';
import { layersOf, type Activation, type LayerShape, type MlpSpec, type SoftmaxSpec } from './model-spec.ts';

/** Rows at a time: few enough that a block's values stay in the cache. */
const BLOCK = 64;

/**
 * Softmax regression and multi-layer perceptrons. Norms of single gradients are found without the gradients: a linear layer's is the outer product of slope
 * and input, so its norm is the product of theirs (Goodfellow 2015).
 */
export class DenseNetwork {
  readonly #layers: readonly LayerShape[];
  readonly #activation: Activation;
  /** Of each layer: what it hands on, and the slopes of the loss in that. */
  readonly #outputs: readonly Float32Array[];
  readonly #slopes: readonly Float32Array[];
  readonly #starts = new Uint32Array(BLOCK);
  readonly #ownStarts: readonly Uint32Array[];
  readonly #factors = new Float64Array(BLOCK);

  constructor(spec: SoftmaxSpec | MlpSpec) {
    this.#layers = layersOf(spec);
    this.#activation = spec.kind === 'mlp' ? spec.activation : 'tanh';
    this.#outputs = this.#layers.map(({ outputs }) => new Float32Array(BLOCK * outputs));
    this.#slopes = this.#layers.map(({ outputs }) => new Float32Array(BLOCK * outputs));
    this.#ownStarts = this.#layers.map(({ outputs }) => Uint32Array.from({ length: BLOCK }, (_, row) => row * outputs));
  }

  score(weights: Float32Array, batch: Batch): BatchLoss {
    return this.#overBlocks(batch, (from, count) => this.#forward(weights, batch, { from, count }));
  }

  addGradients(weights: Float32Array, batch: Batch, gradient: Float32Array): BatchLoss {
    return this.#overBlocks(batch, (from, count) => {
      const loss = this.#forward(weights, batch, { from, count });
      this.#backward(weights, count);
      for (const [at, layer] of this.#layers.entries())
        addOuterProducts({ ...layer, weights: gradient }, this.#inputs(batch, at, count), this.#slope(at));
      return loss;
    });
  }

  addClippedGradients(weights: Float32Array, batch: Batch, clip: number, sum: Float64Array): BatchLoss {
    return this.#overBlocks(batch, (from, count) => {
      const loss = this.#forward(weights, batch, { from, count });
      this.#backward(weights, count);
      this.#findFactors(batch, count, clip);
      for (const [at, layer] of this.#layers.entries())
        addWholeProducts({ ...layer, sum }, this.#inputs(batch, at, count), {
          slopes: this.#slope(at),
          factors: this.#factors,
        });
      return loss;
    });
  }

  #overBlocks({ picks }: Batch, work: (from: number, count: number) => BatchLoss): BatchLoss {
    let [loss, correct] = [0, 0];
    for (let from = 0; from < picks.length; from += BLOCK) {
      const part = work(from, Math.min(BLOCK, picks.length - from));
      loss += part.loss;
      correct += part.correct;
    }
    return { loss, correct };
  }

  /** Leaves the last layer's slopes behind. */
  #forward(weights: Float32Array, batch: Batch, { from, count }: { from: number; count: number }): BatchLoss {
    const { examples, picks } = batch;
    for (let row = 0; row < count; row += 1) this.#starts[row] = (picks[from + row] as number) * examples.inputs;
    const last = this.#layers.length - 1;
    for (const [at, layer] of this.#layers.entries()) {
      const target = at === last ? this.#slope(at) : this.#output(at);
      applyLinear({ ...layer, weights }, this.#inputs(batch, at, count), target);
      if (at < last) activate(this.#activation, target, count * layer.outputs);
    }
    const classes = this.#layers[last]?.outputs ?? 0;
    return slopesOfScores(this.#slope(last), classes, { labels: examples.labels, picks, from, count });
  }

  #backward(weights: Float32Array, count: number): void {
    for (let at = this.#layers.length - 1; at > 0; at -= 1) {
      const layer = this.#layers[at] as LayerShape;
      const below = this.#slope(at - 1);
      applyTransposed({ ...layer, weights }, this.#slope(at), count, below);
      throughActivation(this.#activation, this.#output(at - 1), below, count * layer.inputs);
    }
  }

  /** What each row's gradient is multiplied by: to a norm of at most `clip`, in whole steps. */
  #findFactors(batch: Batch, count: number, clip: number): void {
    const squares = this.#factors.fill(0);
    for (const [at, { inputs, outputs }] of this.#layers.entries()) {
      const { values, starts } = this.#inputs(batch, at, count);
      for (let row = 0; row < count; row += 1)
        squares[row] =
          (squares[row] as number) +
          squareNorm(this.#slope(at), row * outputs, outputs) * (1 + squareNorm(values, starts[row] as number, inputs));
    }
    const step = gridStep(clip);
    for (let row = 0; row < count; row += 1) this.#factors[row] = clippingFactor(squares[row] as number, clip) / step;
  }

  #inputs({ examples }: Batch, at: number, count: number): RowViews {
    if (at === 0) return { values: examples.rows, starts: this.#starts, count };
    return { values: this.#output(at - 1), starts: this.#ownStarts[at - 1] as Uint32Array, count };
  }

  #output(at: number): Float32Array {
    return this.#outputs[at] as Float32Array;
  }

  #slope(at: number): Float32Array {
    return this.#slopes[at] as Float32Array;
  }
}

function squareNorm(values: Float32Array, start: number, length: number): number {
  let sum = 0;
  for (let at = start; at < start + length; at += 1) sum += (values[at] as number) ** 2;
  return sum;
}

function activate(activation: Activation, values: Float32Array, length: number): void {
  if (activation === 'tanh') for (let at = 0; at < length; at += 1) values[at] = Math.tanh(values[at] as number);
  else for (let at = 0; at < length; at += 1) if ((values[at] as number) < 0) values[at] = 0;
}

function throughActivation(activation: Activation, outputs: Float32Array, slopes: Float32Array, length: number): void {
  if (activation === 'tanh')
    for (let at = 0; at < length; at += 1) slopes[at] = (slopes[at] as number) * (1 - (outputs[at] as number) ** 2);
  else for (let at = 0; at < length; at += 1) if (outputs[at] === 0) slopes[at] = 0;
}
