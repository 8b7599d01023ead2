/** Rows within a longer array: row b starts at `starts[b]`. */
export interface RowViews {
  readonly values: Float32Array;
  readonly starts: Uint32Array;
  readonly count: number;
}

/** `weights[at…]` is `outputs` rows of `inputs` weights, then `outputs` biases. */
export interface LinearLayer {
  readonly weights: Float32Array;
  readonly at: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** `target[b · outputs + o]` = bias + weights · row b, for each output and each row. */
export function applyLinear(layer: LinearLayer, rows: RowViews, target: Float32Array): void {
  const { outputs } = layer;
  let output = 0;
  for (; output + 4 <= outputs; output += 4) applyFour(layer, rows, target, output);
  for (; output < outputs; output += 1) applyOne(layer, rows, target, output);
}

/** Four outputs at a time: each value of a row is loaded once for four products. */
function applyFour(
  layer: LinearLayer,
  { values, starts, count }: RowViews,
  target: Float32Array,
  output: number,
): void {
  const { weights, at, inputs, outputs } = layer;
  const [a, b, c, d] = [0, 1, 2, 3].map((next) => at + (output + next) * inputs) as [number, number, number, number];
  const biases = at + outputs * inputs + output;
  for (let row = 0; row < count; row += 1) {
    const start = starts[row] as number;
    let [w, x, y, z] = [0, 0, 0, 0];
    for (let i = 0; i < inputs; i += 1) {
      const value = values[start + i] as number;
      w += value * (weights[a + i] as number);
      x += value * (weights[b + i] as number);
      y += value * (weights[c + i] as number);
      z += value * (weights[d + i] as number);
    }
    const to = row * outputs + output;
    target[to] = w + (weights[biases] as number);
    target[to + 1] = x + (weights[biases + 1] as number);
    target[to + 2] = y + (weights[biases + 2] as number);
    target[to + 3] = z + (weights[biases + 3] as number);
  }
}

function applyOne(layer: LinearLayer, { values, starts, count }: RowViews, target: Float32Array, output: number): void {
  const { weights, at, inputs, outputs } = layer;
  const from = at + output * inputs;
  const bias = weights[at + outputs * inputs + output] as number;
  for (let row = 0; row < count; row += 1) {
    const start = starts[row] as number;
    let sum = 0;
    for (let i = 0; i < inputs; i += 1) sum += (values[start + i] as number) * (weights[from + i] as number);
    target[row * outputs + output] = sum + bias;
  }
}

/** Adds Σ over rows of `slopes[b · outputs + o]` · row b to the layer's weights, and the slopes to its biases; `layer.weights` is what is added to. */
export function addOuterProducts(layer: LinearLayer, rows: RowViews, slopes: Float32Array): void {
  const { weights, at, inputs, outputs } = layer;
  const { count } = rows;
  for (let output = 0; output < outputs; output += 1) {
    let row = 0;
    for (; row + 4 <= count; row += 4) addFour(layer, rows, slopes, { row, output });
    for (; row < count; row += 1) addOne(layer, rows, slopes, { row, output });
    const bias = at + outputs * inputs + output;
    for (row = 0; row < count; row += 1)
      weights[bias] = (weights[bias] as number) + (slopes[row * outputs + output] as number);
  }
}

interface Cell {
  readonly row: number;
  readonly output: number;
}

/** Four rows at a time: each weight is loaded and stored once for four products. */
function addFour(layer: LinearLayer, { values, starts }: RowViews, slopes: Float32Array, { row, output }: Cell): void {
  const { weights, at, inputs, outputs } = layer;
  const to = at + output * inputs;
  const slope = row * outputs + output;
  const w = slopes[slope] as number;
  const x = slopes[slope + outputs] as number;
  const y = slopes[slope + 2 * outputs] as number;
  const z = slopes[slope + 3 * outputs] as number;
  const a = starts[row] as number;
  const b = starts[row + 1] as number;
  const c = starts[row + 2] as number;
  const d = starts[row + 3] as number;
  for (let i = 0; i < inputs; i += 1)
    weights[to + i] =
      (weights[to + i] as number) +
      (w * (values[a + i] as number) +
        x * (values[b + i] as number) +
        (y * (values[c + i] as number) + z * (values[d + i] as number)));
}

function addOne(layer: LinearLayer, { values, starts }: RowViews, slopes: Float32Array, { row, output }: Cell): void {
  const { weights, at, inputs, outputs } = layer;
  const to = at + output * inputs;
  const slope = slopes[row * outputs + output] as number;
  const start = starts[row] as number;
  for (let i = 0; i < inputs; i += 1)
    weights[to + i] = (weights[to + i] as number) + slope * (values[start + i] as number);
}

/** A layer of a sum that is added to in whole numbers. */
export interface SummedLayer extends Omit<LinearLayer, 'weights'> {
  readonly sum: Float64Array;
}

/** Slopes as for {@link addOuterProducts}, and a factor for each row. */
export interface ScaledSlopes {
  readonly slopes: Float32Array;
  readonly factors: Float64Array;
}

/** As {@link addOuterProducts}, with each row's product times its factor cut to a whole number, towards zero, on its own: what a row adds does not depend on the others. A row with the factor 0 adds nothing, whatever is in it. */
export function addWholeProducts(
  { sum, at, inputs, outputs }: SummedLayer,
  { values, starts, count }: RowViews,
  { slopes, factors }: ScaledSlopes,
): void {
  for (let output = 0; output < outputs; output += 1) {
    const to = at + output * inputs;
    const bias = at + outputs * inputs + output;
    for (let row = 0; row < count; row += 1) {
      const factor = factors[row] as number;
      const slope = (slopes[row * outputs + output] as number) * factor;
      if (factor === 0 || slope === 0) continue;
      const start = starts[row] as number;
      for (let i = 0; i < inputs; i += 1)
        sum[to + i] = (sum[to + i] as number) + Math.trunc(slope * (values[start + i] as number));
      sum[bias] = (sum[bias] as number) + Math.trunc(slope);
    }
  }
}

/** `target[b · inputs + i]` = Σ over outputs of `slopes[b · outputs + o]` · weight (o, i): what a layer hands back to the one before. */
export function applyTransposed(layer: LinearLayer, slopes: Float32Array, count: number, target: Float32Array): void {
  const { weights, at, inputs, outputs } = layer;
  target.fill(0, 0, count * inputs);
  for (let row = 0; row < count; row += 1) {
    const to = row * inputs;
    for (let output = 0; output < outputs; output += 1) {
      const slope = slopes[row * outputs + output] as number;
      if (slope === 0) continue;
      const from = at + output * inputs;
      for (let i = 0; i < inputs; i += 1)
        target[to + i] = (target[to + i] as number) + slope * (weights[from + i] as number);
    }
  }
}
