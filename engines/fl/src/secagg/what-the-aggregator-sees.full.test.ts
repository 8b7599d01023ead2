import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ringWidth, unpackRing } from '../ring/index.ts';
import { decodeFrame } from './frames.ts';
import { plainSum, SampleNetwork, sampleRound } from './network.fixture.ts';

// Three clients, one coordinate of 8 bits, of which the upper 3 are looked at: 512 cells for what the aggregator gets.
const ROUNDS = 600;
const CLIENTS = 3;
const CELLS = 8;
const ROUND = sampleRound(CLIENTS, { width: ringWidth(8), length: 1 });
const INPUTS = [
  [[200], [30], [26]],
  [[0], [0], [0]],
] as const;

/** What arrived of the clients' vectors in a round: each as a cell. */
function received(vectors: readonly (readonly number[])[], seed: string): number[] {
  const network = new SampleNetwork(ROUND, seed);
  for (const [member, house] of network.houses.entries()) {
    house.vector.set(vectors[member] ?? []);
    network.begin(member);
  }
  network.run();
  assert.deepEqual(network.outcome?.sum, Uint32Array.of(0));
  const cells: number[] = [];
  for (const [member, frame] of network.sent) {
    const { body } = decodeFrame(frame);
    if (body.kind === 'chunk') cells[member] = (unpackRing(body.bytes, ROUND.width, 1)[0] ?? 0) >> 5;
  }
  return cells;
}

/** χ² of two samples having one distribution (counts by cell, same size). */
function chiSquare(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, count, cell) => {
    const other = b[cell] ?? 0;
    return count + other === 0 ? sum : sum + (count - other) ** 2 / (count + other);
  }, 0);
}

function counts(samples: readonly number[][], cellOf: (cells: readonly number[]) => number, cells: number): number[] {
  const found = Array.from({ length: cells }, () => 0);
  for (const sample of samples) {
    const cell = cellOf(sample);
    found[cell] = (found[cell] ?? 0) + 1;
  }
  return found;
}

/** One client at a time, and every two together. */
const VIEWS: readonly { readonly cells: number; readonly of: (cells: readonly number[]) => number }[] = [
  ...[0, 1, 2].map((at) => ({ cells: CELLS, of: (cells: readonly number[]) => cells[at] ?? 0 })),
  ...[
    [0, 1],
    [0, 2],
    [1, 2],
  ].map(([a = 0, b = 0]) => ({
    cells: CELLS * CELLS,
    of: (cells: readonly number[]) => (cells[a] ?? 0) * CELLS + (cells[b] ?? 0),
  })),
];

/** 7 and 63 degrees of freedom; passed by chance once in a million. */
const CRITICAL = { [CELLS]: 40.5, [CELLS * CELLS]: 131 } as Readonly<Record<number, number>>;

function worst(one: readonly number[][], other: readonly number[][]): number {
  return Math.max(
    ...VIEWS.map(
      ({ cells, of }) => chiSquare(counts(one, of, cells), counts(other, of, cells)) / (CRITICAL[cells] ?? 1),
    ),
  );
}

test('of two inputs with one sum the aggregator receives the same, as far as chance shows; of one without its masks it does not', () => {
  const [first, second] = INPUTS.map((vectors) => {
    const sum = plainSum(
      ROUND,
      vectors.map((vector) => Uint32Array.from(vector)),
    );
    assert.deepEqual(sum, Uint32Array.of(0));
    return Array.from({ length: ROUNDS }, (_, at) => received(vectors, `${vectors.join()} ${at}`));
  });
  assert.ok(first !== undefined && second !== undefined);
  const found = worst(first, second);
  assert.ok(found < 1, `${found} of the critical value`);
  // The test sees a defect: one client whose vector stays as it is, or whose masks repeat.
  const bare = first.map(([, ...rest]) => [200 >> 5, ...rest]);
  assert.ok(worst(bare, second) > 1);
  const repeated = first.map((cells, at) => (at % 4 === 0 ? [5, ...cells.slice(1)] : cells));
  assert.ok(worst(repeated, second) > 1);
});
