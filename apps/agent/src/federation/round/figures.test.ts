import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFigures, encodeFigures, figureLayout, figureLength, type RoundFigures } from './figures.ts';

const client = fc.record({
  examples: fc.integer({ min: 1, max: 1_000_000 }),
  metrics: fc.record(
    { loss: fc.double({ min: -50, max: 50, noNaN: true }), accuracy: fc.double({ min: 0, max: 1, noNaN: true }) },
    { requiredKeys: [] },
  ),
});

function summed(clients: readonly RoundFigures[], width: number): RoundFigures {
  const layout = figureLayout(width, clients.length) ?? assert.fail();
  const sums = new Uint32Array(figureLength(layout));
  const mask = 2 ** width - 1;
  for (const figures of clients)
    for (const [at, value] of encodeFigures(figures, layout).entries())
      sums[at] = ((sums[at] ?? 0) + value) % (mask + 1);
  return decodeFigures(sums, layout, clients.length);
}

test('sums in any ring are the sums of the figures, and means are over the rows of those who reported', () => {
  const clients = fc.array(client, { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(clients, fc.integer({ min: 8, max: 32 }), (all, width) => {
      const sum = summed(all, width);
      assert.equal(
        sum.examples,
        all.reduce((rows, { examples }) => rows + examples, 0),
      );
      for (const name of ['loss', 'accuracy'] as const) {
        const told = all.flatMap(({ examples, metrics }) =>
          metrics[name] === undefined ? [] : [{ examples, value: metrics[name] }],
        );
        const rows = told.reduce((count, { examples }) => count + examples, 0);
        const mean = told.reduce((total, { examples, value }) => total + examples * value, 0) / rows;
        if (rows === 0) assert.equal(sum.metrics[name], undefined);
        else assert.ok(Math.abs((sum.metrics[name] ?? Number.NaN) - mean) < 1e-3, `${name} ${mean}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('a value beyond all bounds stays within its own coordinates', () => {
  const wild = { examples: 2 ** 31, metrics: { loss: 1e300 } };
  const sum = summed([wild, { examples: 1, metrics: { accuracy: 0.5 } }], 16);
  assert.equal(sum.examples, 2 ** 31 + 1);
  assert.equal(sum.metrics['accuracy'], 0.5);
});

test('a ring too narrow for so many clients holds no figures', () => {
  assert.equal(figureLayout(8, 256), undefined);
  assert.notEqual(figureLayout(12, 256), undefined);
});
