import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs } from '@ringfence/base';
import { JOB_SERIES, MetricStore, POINTS_A_TURN, type Measured } from './metric-store.ts';
import { TIER_POINTS, TIERS } from './series-points.ts';

const reported = (name: string, value: number): Measured => ({ source: 'job', name, labels: {}, value });

describe('the metrics of an attempt', () => {
  it('take so many series of a job and count the rest, but never leave out the machine’s own', () => {
    const store = new MetricStore();
    store.take(
      epochMs(1),
      Array.from({ length: 1_000 }, (_, number) => reported(`m${number}`, number)),
    );
    store.take(epochMs(2), [{ source: 'machine', name: 'cpu', labels: {}, unit: 'cores', value: 1 }]);
    assert.equal(store.series.length, JOB_SERIES + 1);
    assert.deepEqual(store.refused, { 'too-many-series': 1_000 - JOB_SERIES });
  });

  it('let a flood cost one turn no more than its share of points, without losing its range and count', () => {
    const store = new MetricStore();
    const { points } = store.take(
      epochMs(1),
      Array.from({ length: 10_000 }, (_, number) => reported('loss', number)),
    );
    assert.equal(points.length, POINTS_A_TURN);
    const last = store.series[0]?.points.all().at(-1);
    assert.deepEqual([last?.value, last?.max, last?.count], [9_999, 9_999, 10_000 - POINTS_A_TURN + 1]);
  });

  it('stay bounded whatever comes', () => {
    const store = new MetricStore();
    for (let turn = 0; turn < 3_000; turn += 1)
      store.take(
        epochMs(turn),
        Array.from({ length: 100 }, (_, number) => reported(`m${(turn + number) % 90}`, turn)),
      );
    const kept = store.series.reduce((sum, { points }) => sum + points.all().length, 0);
    assert.ok(kept <= JOB_SERIES * TIER_POINTS * TIERS);
  });

  it('keep a machine’s series apart from a job’s of the same name, and labels apart from each other', () => {
    const store = new MetricStore();
    store.take(epochMs(1), [
      { source: 'machine', name: 'cpu', labels: {}, value: 1 },
      { source: 'job', name: 'cpu', labels: {}, value: 2 },
      { source: 'job', name: 'cpu', labels: { a: 'b' }, value: 3 },
      { source: 'job', name: 'cpu', labels: { a: 'b","c' }, value: 4 },
    ]);
    assert.equal(store.series.length, 4);
  });

  it('give each turn a later moment, also when the clock runs back: a follower asks for what is later than it has seen', () => {
    const store = new MetricStore();
    for (const now of [1_000, 1_000, 10]) store.take(epochMs(now), [reported('loss', now)]);
    assert.deepEqual(
      store.series[0]?.points.all().map(({ at }) => at),
      [1_000, 1_001, 1_002],
    );
  });
});
