import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { degreeFor } from './degree.ts';
import { logTail } from './hypergeometric.ts';

/** (n choose k), exactly. */
function choose(n: number, k: number): bigint {
  let found = 1n;
  for (let at = 0; at < k; at += 1) found = (found * BigInt(n - at)) / BigInt(at + 1);
  return k < 0 || k > n ? 0n : found;
}

/** The tail by counting, as a quotient of whole numbers. */
function counted(population: number, marked: number, drawn: number, least: number): number {
  let hits = 0n;
  for (let hit = Math.max(0, least); hit <= drawn; hit += 1)
    hits += choose(marked, hit) * choose(population - marked, drawn - hit);
  return Number((hits * 10n ** 60n) / choose(population, drawn)) / 1e60;
}

describe('degrees', () => {
  it('count colluding neighbours as the hypergeometric distribution does', () => {
    for (const [population, marked, drawn] of [
      [9, 3, 4],
      [99, 10, 42],
      [49, 0, 7],
      [60, 60, 5],
    ] as const)
      for (let least = -1; least <= drawn + 1; least += 1) {
        const exact = counted(population, marked, drawn, least);
        const found = Math.exp(logTail({ population, marked, drawn }, least));
        assert.ok(Math.abs(found - exact) <= 1e-9 * exact + 1e-55, `${population} ${marked} ${drawn} ${least}`);
      }
  });

  it('keep 2t > k + c but for 2^−40, and t neighbours but for 2^−20, over all clients', () => {
    for (const clients of [51, 100, 1_000, 10_000])
      for (const [corrupt, dropout] of [
        [0.1, 0.1],
        [0.2, 0.05],
        [0.05, 0.1],
        [0.01, 0.01],
      ] as const) {
        const { neighbours: k, threshold: t, complete } = degreeFor({ clients, corrupt, dropout });
        if (complete) {
          assert.ok(2 * t > k + Math.floor(corrupt * clients) && t <= k - Math.floor(dropout * clients));
          continue;
        }
        const draw = { population: clients - 1, drawn: k };
        const twoStories = logTail({ ...draw, marked: Math.ceil(corrupt * clients) }, 2 * t - k);
        assert.ok(Math.log(clients) + twoStories <= -40 * Math.LN2, `${clients} ${corrupt}`);
        const tooFew = logTail({ ...draw, marked: Math.ceil(dropout * clients) }, k - t + 1);
        assert.ok(Math.log(clients) + tooFew <= -20 * Math.LN2, `${clients} ${dropout}`);
        assert.ok(k % 2 === 0 && t > k / 2);
      }
  });

  it('are those of the table in docs/protocol/secure-aggregation.md', () => {
    const found = [
      [3, 0.1, 0.1],
      [4, 0.1, 0.1],
      [10, 0.1, 0.1],
      [50, 0.1, 0.1],
      [100, 0.1, 0.1],
      [1_000, 0.1, 0.1],
      [1_000, 0.1, 0.05],
      [1_000, 0.2, 0.05],
      [10_000, 0.1, 0.1],
      [10_000, 0.1, 0.05],
    ].map(([clients = 0, corrupt = 0, dropout = 0]) => {
      const { neighbours, threshold } = degreeFor({ clients, corrupt, dropout });
      return [neighbours, threshold];
    });
    assert.deepEqual(found, [
      [2, 2],
      [3, 2],
      [9, 6],
      [49, 28],
      [42, 32],
      [108, 77],
      [70, 53],
      [100, 80],
      [136, 96],
      [88, 66],
    ]);
  });

  it('that nobody could be safe with are refused by name', () => {
    for (const question of [
      { clients: 10_000, corrupt: 0.2, dropout: 0.2 },
      { clients: 4, corrupt: 0.3, dropout: 0.3 },
      { clients: 50, corrupt: 0.4, dropout: 0.4 },
    ])
      assert.throws(() => degreeFor(question), { code: 'unsafe-degree' });
  });
});
