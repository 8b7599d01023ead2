import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { gridStep } from './clipped-sum.ts';
import { allRows, pickRows, type Examples } from './examples.ts';
import { initialModel, inputsOf, parameterCount, type ModelSpec } from './model-spec.ts';
import { networkOf } from './network.ts';
import { NormalNumbers } from './normal-numbers.ts';

const SPECS: readonly ModelSpec[] = [
  { kind: 'softmax', inputs: 7, classes: 3 },
  { kind: 'mlp', inputs: 6, hidden: [9, 5], activation: 'tanh', classes: 4 },
  { kind: 'mlp', inputs: 6, hidden: [5], activation: 'relu', classes: 2 },
  { kind: 'cnn', height: 14, width: 16, channels: 2, filters: [3, 4], hidden: 5, classes: 3 },
];
const ROWS = 70;

function drawn(spec: ModelSpec, rows = ROWS): { examples: Examples; weights: Float32Array } {
  const normal = new NormalNumbers(seededRng(`gradients ${spec.kind}`));
  const inputs = inputsOf(spec);
  const examples = {
    rows: Float32Array.from({ length: rows * inputs }, () => normal.next()),
    labels: Uint16Array.from({ length: rows }, (_, row) => row % spec.classes),
    inputs,
  };
  const weights = initialModel(spec, seededRng('weights')).map((weight) => weight + 0.1 * normal.next());
  return { examples, weights };
}

function norm(values: Float32Array): number {
  return Math.hypot(...values);
}

for (const spec of SPECS)
  describe(JSON.stringify(spec), () => {
    const network = networkOf(spec);
    const { examples, weights } = drawn(spec);
    const whole = allRows(examples);

    test('gradients are the slopes of the loss (central differences)', () => {
      const batch = { examples, picks: Uint32Array.of(0, 3, 3, 8) };
      const gradient = new Float32Array(parameterCount(spec));
      const { loss } = network.addGradients(weights, batch, gradient);
      assert.ok(Math.abs(loss - network.score(weights, batch).loss) < 1e-4);
      const moved = (at: number, by: number): number =>
        network.score(weights.with(at, (weights[at] ?? 0) + by), batch).loss;
      const size = norm(gradient);
      let off = 0;
      for (let at = 0; at < gradient.length; at += 1) {
        const slope = (moved(at, 0.004) - moved(at, -0.004)) / 0.008;
        off = Math.hypot(off, slope - (gradient[at] ?? 0));
      }
      assert.ok(size > 0.5 && off / size < 0.01, `${off} of ${size}`);
    });

    test('a batch’s clipped sum is the sum of single rows’ gradients, each cut to the norm', () => {
      const clip = 0.8;
      const steps = new Float64Array(parameterCount(spec));
      network.addClippedGradients(weights, whole, clip, steps);
      const sum = steps.map((count) => count * gridStep(clip));
      const expected = new Float64Array(parameterCount(spec));
      let cut = 0;
      for (let row = 0; row < ROWS; row += 1) {
        const own = new Float32Array(parameterCount(spec));
        network.addGradients(weights, { examples, picks: Uint32Array.of(row) }, own);
        const scale = Math.min(1, clip / norm(own));
        if (scale < 1) cut += 1;
        own.forEach((value, at) => (expected[at] = (expected[at] ?? 0) + scale * value));
      }
      assert.ok(cut > ROWS / 2, String(cut));
      sum.forEach((value, at) => assert.ok(Math.abs(value - (expected[at] ?? 0)) < 1e-5, `${value} ${expected[at]}`));
    });

    test('rows count wherever they stand', () => {
      const picks = Uint32Array.of(69, 1, 33);
      const apart = pickRows({ examples, picks });
      assert.deepEqual(network.score(weights, { examples, picks }), network.score(weights, allRows(apart)));
      assert.throws(() => pickRows({ examples, picks: Uint32Array.of(70) }), RangeError);
    });
  });

test('the tempered-sigmoid network for 28x28 has the published size', () => {
  const spec: ModelSpec = {
    kind: 'cnn',
    height: 28,
    width: 28,
    channels: 1,
    filters: [16, 32],
    hidden: 32,
    classes: 10,
  };
  assert.equal(parameterCount(spec), 26_010);
  assert.equal(parameterCount({ kind: 'softmax', inputs: 30, classes: 2 }), 62);
});
