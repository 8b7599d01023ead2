import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { decodeSum, encodeUpdate, planEncoding } from '../distributed-noise/index.ts';
import { gridStep, MOST_UNITS } from './clipped-sum.ts';
import { pickRows, rowCount, type Examples } from './examples.ts';
import { initialModel, inputsOf, type ModelSpec } from './model-spec.ts';
import { NormalNumbers } from './normal-numbers.ts';
import { descendPrivately } from './private-descent.ts';
import { trainRound, type RoundInput } from './train-round.ts';

const LINE: ModelSpec = { kind: 'softmax', inputs: 1, classes: 2 };
const SPECS: readonly ModelSpec[] = [
  { kind: 'softmax', inputs: 5, classes: 3 },
  { kind: 'mlp', inputs: 4, hidden: [6, 5], activation: 'relu', classes: 2 },
  { kind: 'cnn', height: 14, width: 14, channels: 1, filters: [2, 3], hidden: 4, classes: 2 },
];
const ROWS = 70;

type Given = Pick<RoundInput, 'spec' | 'weights' | 'examples' | 'units'>;

/** All of the data, so that nothing but one unit is between two sums. */
function sumOf(given: Given, clip: number): Float64Array {
  const config = { method: 'gradients', sample: 1, clip } as const;
  return Float64Array.from(trainRound({ ...given, config, rng: seededRng('all') }).delta);
}

function less(one: Float64Array, other: Float64Array): Float64Array {
  return one.map((value, at) => value - (other[at] ?? 0));
}

const norm = (values: Float64Array): number => Math.hypot(...values);

/** Rows whose gradients are of very different sizes. */
function drawn(spec: ModelSpec): Examples {
  const normal = new NormalNumbers(seededRng(`sums ${spec.kind}`));
  const inputs = inputsOf(spec);
  return {
    rows: Float32Array.from({ length: ROWS * inputs }, (_, at) => normal.next() * 10 ** ((at % 7) - 4)),
    labels: Uint16Array.from({ length: ROWS }, (_, row) => row % spec.classes),
    inputs,
  };
}

for (const spec of SPECS)
  test(`${spec.kind}: one unit more adds its own clipped gradient, to the last bit`, () => {
    const examples = drawn(spec);
    const weights = initialModel(spec, seededRng('weights'));
    const clip = 0.7;
    const given = { spec, weights, examples };
    const all = sumOf(given, clip);
    const everyRow = Uint32Array.from({ length: ROWS }, (_, row) => row);
    for (const row of [0, 33, ROWS - 1]) {
      const of = (picked: (at: number) => boolean): Float64Array =>
        sumOf({ ...given, examples: pickRows({ examples, picks: everyRow.filter(picked) }) }, clip);
      const own = of((at) => at === row);
      assert.ok(norm(own) <= clip && norm(own) > 0);
      assert.deepEqual(
        less(
          all,
          of((at) => at !== row),
        ).map(Math.abs),
        own.map(Math.abs),
      );
    }
    const units = Array.from({ length: 20 }, (_, unit) => Uint32Array.of(unit, unit + 20, unit + 40));
    const person = units[7] ?? assert.fail();
    assert.deepEqual(
      less(sumOf({ ...given, units }, clip), sumOf({ ...given, units: units.toSpliced(7, 1) }, clip)).map(Math.abs),
      sumOf({ ...given, units: [person] }, clip).map(Math.abs),
    );
  });

/** Softmax regression with zero weights on rows x of label 0 and −x of label 1 by turns: the biases' gradients cancel, those of the weights are x / 2. */
function mirrored(values: readonly number[]): Examples {
  return {
    rows: Float32Array.from(values, (value, at) => (at % 2 === 0 ? value : -value)),
    labels: Uint16Array.from(values, (_, at) => at % 2),
    inputs: 1,
  };
}

test('one row that moves float32 sums into the next binade moves these by itself', () => {
  const clip = Math.sqrt((64 ** 2 + 1) / 2) * 1.0001;
  // Float32 has room for this much in the sum of 4,095 rows, and rounds it up by more than half after 4,096.
  const small = 64 * 1.25 * 2 ** -12;
  const sums = [4_095, 4_096].map((rows) => {
    const parts = Array.from({ length: 4_096 }, () => [small, 0, 0, 0]);
    const examples = mirrored([...Array.from({ length: rows }, () => 64), ...parts.flat()]);
    return sumOf({ spec: LINE, weights: new Float32Array(4), examples }, clip);
  });
  const [one, other] = sums as [Float64Array, Float64Array];
  const moved = norm(less(other, one));
  assert.ok(moved <= clip && moved > 0.99 * clip, `${moved / clip} clipping norms`);
});

test('sums stay whole numbers, and what an encoder makes of neighbours is as far apart', () => {
  const clip = 0.3;
  const sum = sumOf(
    { spec: LINE, weights: new Float32Array(4), examples: mirrored(Array.from({ length: 1_001 }, () => 3)) },
    clip,
  );
  for (const value of sum) assert.ok(Number.isSafeInteger(value / gridStep(clip)));
  const terms = { dimension: 4, clients: 1, clipOf: 'unit', clip, unitsInUpdate: 2_000, noise: null } as const;
  const encoding = planEncoding(terms);
  const seed = new Uint8Array(32);
  const back = decodeSum(encodeUpdate(sum, encoding, seed, seededRng('encoder')), encoding, seed);
  assert.ok(norm(less(back, sum)) <= 2 / encoding.scale);
});

test('a row whose gradient is not finite adds nothing, and takes nothing from the others', () => {
  const spec: ModelSpec = { kind: 'softmax', inputs: 2, classes: 2 };
  const weights = Float32Array.of(1.5, 2, 0.3, -20, 0, 0);
  const rows = (value: number): Examples => ({
    rows: Float32Array.of(1, 2, value, 1),
    labels: Uint16Array.of(1, 1),
    inputs: 2,
  });
  const alone = { rows: Float32Array.of(1, 2), labels: Uint16Array.of(1), inputs: 2 };
  for (const value of [3e38, Infinity, NaN]) {
    const wanted = sumOf({ spec, weights, examples: alone }, 1);
    assert.ok(norm(wanted) > 0);
    assert.deepEqual(sumOf({ spec, weights, examples: rows(value) }, 1), wanted, String(value));
    const [first, second] = [Uint32Array.of(0), Uint32Array.of(1)];
    const ofPersons = (units: readonly Uint32Array[]): Float64Array =>
      sumOf({ spec, weights, examples: rows(value), units }, 1);
    assert.deepEqual(ofPersons([first, second]), ofPersons([first]), `${value} of a person`);
  }
  const deep: ModelSpec = { kind: 'mlp', inputs: 2, hidden: [3], activation: 'relu', classes: 2 };
  const drawnWeights = initialModel(deep, seededRng('deep')).map((weight) => weight * 1e4);
  const sum = sumOf({ spec: deep, weights: drawnWeights, examples: rows(3e38) }, 1);
  assert.ok(sum.every(Number.isFinite));
});

test('more units than are summed exactly are refused', () => {
  const many = { rows: new Float32Array(MOST_UNITS + 1), labels: new Uint16Array(MOST_UNITS + 1), inputs: 1 };
  assert.equal(rowCount(many), MOST_UNITS + 1);
  const weights = new Float32Array(4);
  assert.throws(() => sumOf({ spec: LINE, weights, examples: many }, 1), { code: 'bad-data' });
  const descent = { steps: 1, sample: 1, clip: 1, multiplier: 1, rate: 1, momentum: 0 };
  const input = { spec: LINE, start: weights, examples: many, rng: seededRng('many') };
  assert.throws(() => descendPrivately(input, descent), { code: 'bad-data' });
});
