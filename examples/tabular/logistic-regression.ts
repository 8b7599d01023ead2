// Logistic regression with an L2 penalty by full-batch gradient descent, on standardised columns.

/** Examples as numbers: one array a row, and a target of 0 or 1 for each. */
export interface Examples {
  readonly rows: readonly (readonly number[])[];
  readonly targets: readonly (0 | 1)[];
}

/** Shift and scale of each column, learnt from training rows alone. */
export interface Scaling {
  readonly means: readonly number[];
  readonly scales: readonly number[];
}

/** What is learnt: log-odds of target 1 are `intercept + weights · standardised row`. */
export interface Weights {
  readonly intercept: number;
  readonly weights: readonly number[];
}

/** How to descend. */
export interface Descent {
  readonly epochs: number;
  readonly rate: number;
  /** Factor of half the squared weights in the loss; the intercept is free. */
  readonly penalty: number;
}

/** Mean and standard deviation of each column; a constant column gets scale 1. */
export function fitScaling(rows: readonly (readonly number[])[]): Scaling {
  const columns = (rows[0] ?? []).map((_, column) => rows.map((row) => at(row, column)));
  const means = columns.map(mean);
  const deviations = columns.map((cells, column) =>
    Math.sqrt(mean(cells.map((cell) => (cell - at(means, column)) ** 2))),
  );
  return { means, scales: deviations.map((deviation) => (deviation > 0 ? deviation : 1)) };
}

/** `row` in standard deviations from the mean. */
export function standardise(row: readonly number[], { means, scales }: Scaling): number[] {
  return row.map((cell, column) => (cell - at(means, column)) / at(scales, column));
}

/** Probability that the target of a standardised `row` is 1. */
export function probability(row: readonly number[], { intercept, weights }: Weights): number {
  return sigmoid(intercept + dot(row, weights));
}

/** Mean log loss over `examples` plus the penalty. */
export function loss({ rows, targets }: Examples, model: Weights, penalty: number): number {
  const losses = rows.map((row, index) => {
    const odds = model.intercept + dot(row, model.weights);
    // log(1 + e^odds) - target · odds, without overflow.
    return Math.max(odds, 0) + Math.log1p(Math.exp(-Math.abs(odds))) - at(targets, index) * odds;
  });
  return mean(losses) + (penalty / 2) * dot(model.weights, model.weights);
}

/** Slope of {@link loss} in the intercept and in each weight. */
export function gradient({ rows, targets }: Examples, model: Weights, penalty: number): Weights {
  const slopes = model.weights.map((weight) => penalty * weight);
  let intercept = 0;
  rows.forEach((row, index) => {
    const error = (probability(row, model) - at(targets, index)) / rows.length;
    intercept += error;
    row.forEach((cell, column) => {
      slopes[column] = at(slopes, column) + error * cell;
    });
  });
  return { intercept, weights: slopes };
}

/** Descends from all zeros; `onEpoch` hears of the loss before each step. */
export function train(examples: Examples, descent: Descent, onEpoch: (epoch: number, loss: number) => void): Weights {
  let model: Weights = { intercept: 0, weights: (examples.rows[0] ?? []).map(() => 0) };
  for (let epoch = 0; epoch < descent.epochs; epoch += 1) {
    onEpoch(epoch, loss(examples, model, descent.penalty));
    const slope = gradient(examples, model, descent.penalty);
    model = {
      intercept: model.intercept - descent.rate * slope.intercept,
      weights: model.weights.map((weight, column) => weight - descent.rate * at(slope.weights, column)),
    };
  }
  return model;
}

function sigmoid(odds: number): number {
  return odds >= 0 ? 1 / (1 + Math.exp(-odds)) : Math.exp(odds) / (1 + Math.exp(odds));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * at(b, index), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no entry ${index} among ${values.length}`);
  return value;
}
