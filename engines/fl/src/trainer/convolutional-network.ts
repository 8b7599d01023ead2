import { addPatches, patchesOf, poolMaxima, spreadMaxima } from './convolution.ts';
import { slopesOfScores, type BatchLoss } from './class-loss.ts';
import { addClipped } from './clipped-sum.ts';
import { addOuterProducts, applyLinear, applyTransposed, type LinearLayer, type RowViews } from './dense-kernels.ts';
import type { Batch } from './examples.ts';
import { convolutionsOf, layersOf, parameterCount, type CnnSpec, type ConvolutionShape } from './model-spec.ts';

/** One convolution with its tanh and its maximum: the room that it works in. */
interface Stage {
  readonly shape: ConvolutionShape;
  readonly patches: Float32Array;
  readonly outputs: Float32Array;
  readonly maxima: Float32Array;
  readonly winners: Uint32Array;
  readonly patchSlopes: Float32Array;
  readonly outputSlopes: Float32Array;
  readonly maximaSlopes: Float32Array;
  /** The patches as rows of a linear layer. */
  readonly rows: RowViews;
}

/** Rows of scores that one row at a time needs: the first. */
const FIRST = Uint32Array.of(0);

/** The network of {@link CnnSpec}: one row after the other, each with a gradient of its own, so that it can be clipped. */
export class ConvolutionalNetwork {
  readonly #spec: CnnSpec;
  readonly #first: Stage;
  readonly #second: Stage;
  readonly #hidden: Float32Array;
  readonly #hiddenSlopes: Float32Array;
  readonly #scores: Float32Array;
  readonly #own: Float32Array;

  constructor(spec: CnnSpec) {
    this.#spec = spec;
    const [first, second] = convolutionsOf(spec);
    this.#first = stageOf(first);
    this.#second = stageOf(second);
    this.#hidden = new Float32Array(spec.hidden);
    this.#hiddenSlopes = new Float32Array(spec.hidden);
    this.#scores = new Float32Array(spec.classes);
    this.#own = new Float32Array(parameterCount(spec));
  }

  score(weights: Float32Array, batch: Batch): BatchLoss {
    return this.#overRows(batch, (from) => this.#forward(this.#layers(weights), batch, from));
  }

  addGradients(weights: Float32Array, batch: Batch, gradient: Float32Array): BatchLoss {
    return this.#eachGradient(weights, batch, (own) => addAll(own, gradient));
  }

  addClippedGradients(weights: Float32Array, batch: Batch, clip: number, sum: Float64Array): BatchLoss {
    return this.#eachGradient(weights, batch, (own) => addClipped(own, { clip }, sum));
  }

  #eachGradient(weights: Float32Array, batch: Batch, add: (own: Float32Array) => void): BatchLoss {
    const layers = this.#layers(weights);
    const own = this.#layers(this.#own);
    return this.#overRows(batch, (from) => {
      const loss = this.#forward(layers, batch, from);
      this.#own.fill(0);
      this.#backward(layers, own);
      add(this.#own);
      return loss;
    });
  }

  #overRows({ picks }: Batch, work: (from: number) => BatchLoss): BatchLoss {
    let [loss, correct] = [0, 0];
    for (let from = 0; from < picks.length; from += 1) {
      const part = work(from);
      loss += part.loss;
      correct += part.correct;
    }
    return { loss, correct };
  }

  #layers(weights: Float32Array): readonly LinearLayer[] {
    return layersOf(this.#spec).map((layer) => ({ ...layer, weights }));
  }

  #forward(layers: readonly LinearLayer[], { examples, picks }: Batch, from: number): BatchLoss {
    const [one, two, three, four] = layers as [LinearLayer, LinearLayer, LinearLayer, LinearLayer];
    runStage(this.#first, one, examples.rows, (picks[from] as number) * examples.inputs);
    runStage(this.#second, two, this.#first.maxima, 0);
    applyLinear(three, oneRow(this.#second.maxima), this.#hidden);
    applyTanh(this.#hidden);
    applyLinear(four, oneRow(this.#hidden), this.#scores);
    return slopesOfScores(this.#scores, this.#spec.classes, { labels: examples.labels, picks, from, count: 1 });
  }

  /** After a forward pass, whose slopes stand in the scores. */
  #backward(layers: readonly LinearLayer[], own: readonly LinearLayer[]): void {
    const [, two, three, four] = layers as [LinearLayer, LinearLayer, LinearLayer, LinearLayer];
    const [ownOne, ownTwo, ownThree, ownFour] = own as [LinearLayer, LinearLayer, LinearLayer, LinearLayer];
    addOuterProducts(ownFour, oneRow(this.#hidden), this.#scores);
    applyTransposed(four, this.#scores, 1, this.#hiddenSlopes);
    throughTanh(this.#hidden, this.#hiddenSlopes);
    addOuterProducts(ownThree, oneRow(this.#second.maxima), this.#hiddenSlopes);
    applyTransposed(three, this.#hiddenSlopes, 1, this.#second.maximaSlopes);
    turnStage(this.#second, ownTwo);
    const { shape, outputSlopes, patchSlopes, rows } = this.#second;
    applyTransposed(two, outputSlopes, rows.count, patchSlopes);
    addPatches(shape, patchSlopes, this.#first.maximaSlopes);
    turnStage(this.#first, ownOne);
  }
}

function stageOf(shape: ConvolutionShape): Stage {
  const positions = shape.height * shape.width;
  const patch = shape.kernel ** 2 * shape.inputChannels;
  const pooled = (shape.height - 1) * (shape.width - 1) * shape.filters;
  const patches = new Float32Array(positions * patch);
  return {
    shape,
    patches,
    outputs: new Float32Array(positions * shape.filters),
    maxima: new Float32Array(pooled),
    winners: new Uint32Array(pooled),
    patchSlopes: new Float32Array(positions * patch),
    outputSlopes: new Float32Array(positions * shape.filters),
    maximaSlopes: new Float32Array(pooled),
    rows: {
      values: patches,
      starts: Uint32Array.from({ length: positions }, (_, at) => at * patch),
      count: positions,
    },
  };
}

function runStage(
  { shape, patches, outputs, maxima, winners, rows }: Stage,
  layer: LinearLayer,
  image: Float32Array,
  start: number,
): void {
  patchesOf(shape, image, start, patches);
  applyLinear(layer, rows, outputs);
  applyTanh(outputs);
  poolMaxima(shape, outputs, maxima, winners);
}

/** From the slopes of a stage's maxima to those of its sums, and to the gradient of its layer. */
function turnStage({ outputs, outputSlopes, maximaSlopes, winners, rows }: Stage, own: LinearLayer): void {
  spreadMaxima(maximaSlopes, winners, outputSlopes);
  throughTanh(outputs, outputSlopes);
  addOuterProducts(own, rows, outputSlopes);
}

function addAll(own: Float32Array, gradient: Float32Array): void {
  for (let at = 0; at < own.length; at += 1) gradient[at] = (gradient[at] as number) + (own[at] as number);
}

function applyTanh(values: Float32Array): void {
  for (let at = 0; at < values.length; at += 1) values[at] = Math.tanh(values[at] as number);
}

function throughTanh(outputs: Float32Array, slopes: Float32Array): void {
  for (let at = 0; at < outputs.length; at += 1)
    slopes[at] = (slopes[at] as number) * (1 - (outputs[at] as number) ** 2);
}

function oneRow(values: Float32Array): RowViews {
  return { values, starts: FIRST, count: 1 };
}
