import type { Rng } from '@ringfence/base';
import { NormalNumbers } from './normal-numbers.ts';

/** What the embedded trainer can train: a closed type, JSON-safe, so that a contract holds it whole. */
export type ModelSpec = SoftmaxSpec | MlpSpec | CnnSpec;

/** Softmax regression: one linear layer. */
export interface SoftmaxSpec {
  readonly kind: 'softmax';
  readonly inputs: number;
  readonly classes: number;
}

/** Fully connected layers with one activation between them. */
export interface MlpSpec {
  readonly kind: 'mlp';
  readonly inputs: number;
  /** Units of each hidden layer, first to last. */
  readonly hidden: readonly number[];
  readonly activation: Activation;
  readonly classes: number;
}

/**
 * Two convolutions and two linear layers: 8x8 with stride 2 and 3 pixels of padding, 4x4 with stride 2, each followed by tanh and a maximum over 2x2
 * with stride 1 (the network of Papernot et al. 2021, Tempered Sigmoid Activations, table 1, for 28x28 pixels).
 */
export interface CnnSpec {
  readonly kind: 'cnn';
  readonly height: number;
  readonly width: number;
  /** Values a pixel; rows hold them pixel by pixel. */
  readonly channels: number;
  readonly filters: readonly [number, number];
  readonly hidden: number;
  readonly classes: number;
}

/** `tanh`, which bounds what a layer hands on and so suits clipped gradients, or `relu`. */
export type Activation = 'tanh' | 'relu';

/** One linear layer's place in a model's parameters: `outputs` rows of `inputs` weights, then `outputs` biases. */
export interface LayerShape {
  readonly inputs: number;
  readonly outputs: number;
  /** Where its weights start. */
  readonly at: number;
}

/** Values of one row that a model reads. */
export function inputsOf(spec: ModelSpec): number {
  return spec.kind === 'cnn' ? spec.height * spec.width * spec.channels : spec.inputs;
}

/** All layers in order; a convolution counts as a linear layer of one patch. */
export function layersOf(spec: ModelSpec): LayerShape[] {
  const widths = widthsOf(spec);
  let at = 0;
  return widths.map(([inputs, outputs]) => {
    const layer = { inputs, outputs, at };
    at += (inputs + 1) * outputs;
    return layer;
  });
}

/** Numbers that a model consists of. */
export function parameterCount(spec: ModelSpec): number {
  return layersOf(spec).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
}

/** A model to start from: weights normal with variance 1/inputs (He: 2/inputs before relu), biases 0, softmax regression all zeros. */
export function initialModel(spec: ModelSpec, rng: Rng): Float32Array {
  const model = new Float32Array(parameterCount(spec));
  if (spec.kind === 'softmax') return model;
  const normal = new NormalNumbers(rng);
  const gain = spec.kind === 'mlp' && spec.activation === 'relu' ? 2 : 1;
  for (const { inputs, outputs, at } of layersOf(spec)) {
    const deviation = Math.sqrt(gain / inputs);
    for (let weight = at; weight < at + inputs * outputs; weight += 1) model[weight] = deviation * normal.next();
  }
  return model;
}

/** First and second layer's kernel sides and the shape of what each hands on. */
export interface ConvolutionShape {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly inputChannels: number;
  readonly height: number;
  readonly width: number;
  readonly filters: number;
}

/** The two convolutions of a {@link CnnSpec}; each is followed by a maximum over 2x2 with stride 1, which takes one row and one column. */
export function convolutionsOf(spec: CnnSpec): readonly [ConvolutionShape, ConvolutionShape] {
  const first = convolution(
    { kernel: 8, stride: 2, padding: 3, filters: spec.filters[0] },
    { height: spec.height, width: spec.width, channels: spec.channels },
  );
  const second = convolution(
    { kernel: 4, stride: 2, padding: 0, filters: spec.filters[1] },
    { height: first.height - 1, width: first.width - 1, channels: spec.filters[0] },
  );
  return [first, second];
}

function convolution(
  form: Pick<ConvolutionShape, 'kernel' | 'stride' | 'padding' | 'filters'>,
  input: { height: number; width: number; channels: number },
): ConvolutionShape {
  const extent = (length: number): number => Math.floor((length + 2 * form.padding - form.kernel) / form.stride) + 1;
  return {
    ...form,
    inputHeight: input.height,
    inputWidth: input.width,
    inputChannels: input.channels,
    height: extent(input.height),
    width: extent(input.width),
  };
}

function widthsOf(spec: ModelSpec): [inputs: number, outputs: number][] {
  if (spec.kind !== 'cnn') {
    const hidden = spec.kind === 'mlp' ? spec.hidden : [];
    const widths = [spec.inputs, ...hidden, spec.classes];
    return hidden.concat(spec.classes).map((outputs, layer) => [widths[layer] as number, outputs]);
  }
  const [first, second] = convolutionsOf(spec);
  const flat = (second.height - 1) * (second.width - 1) * second.filters;
  return [
    [first.kernel ** 2 * first.inputChannels, first.filters],
    [second.kernel ** 2 * second.inputChannels, second.filters],
    [flat, spec.hidden],
    [spec.hidden, spec.classes],
  ];
}
