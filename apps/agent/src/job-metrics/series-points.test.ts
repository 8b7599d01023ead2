import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs } from '@ringfence/base';
import { SeriesPoints, TIER_POINTS, TIERS } from './series-points.ts';

function filled(count: number): SeriesPoints {
  const points = new SeriesPoints();
  for (let at = 0; at < count; at += 1) points.add({ at: epochMs(at), value: (at * 7_919) % 10_007, step: at });
  return points;
}

describe('the points of a series', () => {
  for (const count of [0, 1, TIER_POINTS, TIER_POINTS + 1, 1_000, 60_000, 300_000])
    it(`keep time, range and number of ${count} values in bounded space`, () => {
      const all = filled(count).all();
      assert.ok(all.length <= TIER_POINTS * TIERS);
      assert.deepEqual(
        all.map(({ at }) => at),
        all.map(({ at }) => at).toSorted((a, b) => a - b),
      );
      assert.equal(
        all.reduce((sum, point) => sum + (point.count ?? 1), 0),
        count,
      );
      if (count < 10_007) return;
      assert.equal(Math.min(...all.map((point) => point.min ?? point.value)), 0);
      assert.equal(Math.max(...all.map((point) => point.max ?? point.value)), 10_006);
    });

  it('are exact while new, and cover the oldest half with dozens of points', () => {
    const all = filled(40_000).all();
    assert.ok(all.slice(-TIER_POINTS + 1).every(({ count }) => count === undefined));
    assert.deepEqual(all.at(-1), { at: 39_999, value: (39_999 * 7_919) % 10_007, step: 39_999 });
    assert.ok(all.filter(({ at }) => at < 20_000).length >= TIER_POINTS / 2);
  });
});
