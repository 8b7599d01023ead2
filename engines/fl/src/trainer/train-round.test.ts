import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { gridStep } from './clipped-sum.ts';
import type { Examples } from './examples.ts';
import { accuracyOf, evaluate } from './evaluate.ts';
import { initialModel, parameterCount, type ModelSpec } from './model-spec.ts';
import { networkOf } from './network.ts';
import { NormalNumbers } from './normal-numbers.ts';
import { descendPrivately } from './private-descent.ts';
import { trainRound, type LocalTraining, type RoundInput } from './train-round.ts';

const SPEC: ModelSpec = { kind: 'mlp', inputs: 2, hidden: [8], activation: 'tanh', classes: 2 };
const COUNT = 400;

/** Inside or outside a circle: nothing that a line parts. */
function rings(): Examples {
  const normal = new NormalNumbers(seededRng('rings'));
  const rows = Float32Array.from({ length: 2 * COUNT }, () => normal.next());
  const labels = Uint16Array.from({ length: COUNT }, (_, row) =>
    Number(Math.hypot(rows[2 * row] ?? 0, rows[2 * row + 1] ?? 0) > 1.2),
  );
  return { rows, labels, inputs: 2 };
}

const examples = rings();
const weights = initialModel(SPEC, seededRng('start'));
const EPOCHS: LocalTraining = { method: 'epochs', epochs: 40, batch: 20, rate: 0.2, momentum: 0.5 };
const input = (config: RoundInput['config'], other: Partial<RoundInput> = {}): RoundInput => ({
  spec: SPEC,
  weights,
  examples,
  config,
  rng: seededRng('round'),
  ...other,
});
const norm = (values: Float32Array | Float64Array): number => Math.hypot(...values);

describe('epochs', () => {
  test('learn what no line parts, the same from the same seed', () => {
    const { delta, examples: seen, loss } = trainRound(input(EPOCHS));
    const model = weights.map((weight, at) => weight + (delta[at] ?? 0));
    assert.ok(accuracyOf(evaluate(SPEC, model, examples)) > 0.95);
    assert.equal(seen, COUNT);
    assert.ok(loss < 0.4 && loss > 0);
    assert.deepEqual(trainRound(input(EPOCHS)).delta, delta);
    assert.notDeepEqual(trainRound(input(EPOCHS, { rng: seededRng('another') })).delta, delta);
  });

  test('stay near the round’s model when bound to it, and near zero when weights decay', () => {
    const free = norm(trainRound(input(EPOCHS)).delta);
    assert.ok(norm(trainRound(input({ ...EPOCHS, proximal: 1 })).delta) < free / 2);
    const { delta } = trainRound(input({ ...EPOCHS, decay: 1 }));
    assert.ok(norm(weights.map((weight, at) => weight + (delta[at] ?? 0))) < norm(weights) / 2);
  });

  test('refuse weights of another model', () => {
    assert.throws(() => trainRound(input(EPOCHS, { weights: weights.subarray(1) })), { code: 'bad-size' });
  });
});

describe('gradients', () => {
  const config = { method: 'gradients', sample: 0.25, clip: 0.3 } as const;

  test('are those of a Poisson sample, downhill', () => {
    const { delta, examples: seen } = trainRound(input(config));
    assert.ok(seen > 60 && seen < 140, String(seen));
    const moved = weights.map((weight, at) => weight + (delta[at] ?? 0) / seen);
    assert.ok(evaluate(SPEC, moved, examples).loss < evaluate(SPEC, weights, examples).loss);
  });

  test('of one row or of one person move a sum by the clipping norm at most', () => {
    const whole = { method: 'gradients', sample: 1, clip: 0.3 } as const;
    const units = Array.from({ length: COUNT / 4 }, (_, unit) => Uint32Array.of(4 * unit, 4 * unit + 1, 4 * unit + 2));
    const all = trainRound(input(whole, { units })).delta;
    for (const unit of [0, 7, 50]) {
      const without = trainRound(input(whole, { units: units.toSpliced(unit, 1) })).delta;
      const moved = norm(all.map((value, at) => value - (without[at] ?? 0)));
      assert.ok(moved <= 0.3 && moved > 0.05, String(moved));
    }
    const single = Uint32Array.of(3);
    const own = new Float64Array(parameterCount(SPEC));
    networkOf(SPEC).addClippedGradients(weights, { examples, picks: single }, 0.3, own);
    const { delta } = trainRound(input(whole, { units: [single] }));
    own.forEach((steps, at) => assert.ok(Math.abs(steps * gridStep(0.3) + (delta[at] ?? 0)) < 1e-6));
  });

  test('of no row are nothing', () => {
    const { delta, examples: seen, loss } = trainRound(input({ ...config, sample: 1e-9 }));
    assert.deepEqual([seen, loss, norm(delta)], [0, 0, 0]);
  });
});

test('DP-SGD learns with little noise and nothing with much, with noise of the promised width', () => {
  const common = { steps: 60, sample: 0.5, clip: 1, rate: 0.5, momentum: 0.9 };
  const train = (multiplier: number, steps = common.steps): Float32Array =>
    descendPrivately(
      { spec: SPEC, start: weights, examples, rng: seededRng('private') },
      { ...common, steps, multiplier },
    );
  assert.ok(accuracyOf(evaluate(SPEC, train(0.5), examples)) > 0.9);
  assert.ok(accuracyOf(evaluate(SPEC, train(200), examples)) < 0.85);
  // One step: the weights move by rate · (sum + noise) / 200, nearly all of it noise.
  const moved = norm(train(50, 1).map((weight, at) => weight - (weights[at] ?? 0)));
  const expected = (0.5 * 50 * Math.sqrt(weights.length)) / 200;
  assert.ok(moved > 0.6 * expected && moved < 1.4 * expected, `${moved} ${expected}`);
});
