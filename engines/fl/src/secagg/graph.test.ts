import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { completeGraph, ringGraph } from './graph.ts';

const degree = { neighbours: 8, threshold: 6, complete: false };

test('neighbours are mutual, as many as the degree, and nobody is its own', () => {
  for (const size of [10, 57, 300]) {
    const graph = ringGraph(seededRng(`graph ${size}`).bytes(32), size, degree);
    for (let place = 0; place < size; place += 1) {
      const near = graph.neighboursOf(place);
      assert.equal(new Set(near).size, 8);
      assert.ok(!near.includes(place) && near.every((peer) => graph.neighboursOf(peer).includes(place)));
      assert.deepEqual(
        near,
        near.toSorted((a, b) => a - b),
      );
    }
  }
  const all = completeGraph(4, { neighbours: 3, threshold: 2, complete: true });
  assert.deepEqual(
    [0, 1, 2, 3].map((place) => all.neighboursOf(place)),
    [
      [1, 2, 3],
      [0, 2, 3],
      [0, 1, 3],
      [0, 1, 2],
    ],
  );
});

test('the same seed draws the same graph, and each pair are neighbours about equally often', () => {
  const size = 40;
  const seed = seededRng('same').bytes(32);
  assert.deepEqual(ringGraph(seed, size, degree).neighboursOf(3), ringGraph(seed, size, degree).neighboursOf(3));
  const counts = Array.from({ length: size }, () => 0);
  const draws = 1_000;
  for (let at = 0; at < draws; at += 1)
    for (const peer of ringGraph(seededRng(`pairs ${at}`).bytes(32), size, degree).neighboursOf(0))
      counts[peer] = (counts[peer] ?? 0) + 1;
  const expected = (draws * degree.neighbours) / (size - 1);
  const chiSquare = counts.slice(1).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 38 degrees of freedom: passed by chance once in a hundred thousand.
  assert.ok(chiSquare < 86, String(chiSquare));
});
