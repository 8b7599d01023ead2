import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, systemRng } from '@ringfence/base';
import type { MetricPoint } from '@ringfence/protocol/payload';
import fc from 'fast-check';
import { metricsTable } from './metrics-table.ts';
import { prometheusText } from './prometheus.ts';
import type { MetricsView, SeriesView } from './read-metrics.ts';
import { screenOf, type Screen } from './screen.ts';
import { sparkline } from './sparkline.ts';

const SEED = 40_961;
const WIDE: Screen = { columns: 80, colour: false, live: false };

const pointsOf = (values: readonly number[], every = 1_000): MetricPoint[] =>
  values.map((value, index) => ({ at: epochMs(index * every), value }));

const loss: SeriesView = { source: 'job', name: 'loss', labels: {}, points: pointsOf([8, 4, 2, 1]) };
const memory: SeriesView = {
  source: 'machine',
  name: 'memory',
  labels: {},
  unit: 'bytes',
  points: [{ at: epochMs(1), value: 2_000_000, min: 1_000_000, max: 3_000_000, count: 9 }],
};

function viewOf(series: readonly SeriesView[], refused: MetricsView['state']['refused'] = {}): MetricsView {
  const job = newId('job', systemRng);
  return { series, state: { job, attempt: 1, at: epochMs(5_000), phase: 'running', outcome: null, refused } };
}

describe('a sparkline', () => {
  it('has a letter for each point while there is room', () =>
    assert.equal(sparkline(pointsOf([0, 1, 2, 3]), 10), '▁▃▆█'));

  it('shows time beyond that, and goes on where nothing came', () => {
    const points = [...pointsOf([0, 0, 0, 0]), { at: epochMs(10_000), value: 7 }];
    assert.equal(sparkline(points, 4), '▁▁▁█');
  });

  it('lies on the floor when nothing changes', () => assert.equal(sparkline(pointsOf([5, 5]), 10), '▁▁'));

  it(`is never wider than asked, whatever the numbers (seed ${SEED})`, () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 300 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 120 }), (numbers, columns) => {
        const line = sparkline(pointsOf(numbers), columns);
        assert.match(line, /^[▁▂▃▄▅▆▇█]*$/);
        assert.equal(line.length, Math.min(numbers.length, columns));
      }),
      { numRuns: 2_000, seed: SEED },
    );
  });
});

describe('metrics for people', () => {
  it('stand in columns, the job’s own first, minimum and maximum over all values', () => {
    assert.deepEqual(metricsTable('train', viewOf([memory, loss], { malformed: 2, lost: 1 }), WIDE), [
      'train attempt 1: running',
      'METRIC    LAST     MIN     MAX',
      'loss         1       1       8  █▄▂▁',
      'memory  2.0 MB  1.0 MB  3.0 MB  ▁',
      'not taken: 2 malformed, 1 lost (docs/metrics.md says why)',
    ]);
  });

  it('fit a screen of any width', () => {
    const long: SeriesView = {
      ...loss,
      labels: { split: 'x'.repeat(60) },
      points: pointsOf(Array.from({ length: 500 }, (_, i) => i)),
    };
    for (const columns of [1, 10, 20, 40, 60, 80, 200])
      for (const line of metricsTable('t', viewOf([long, memory]), { ...WIDE, columns }).slice(1))
        assert.ok(line.length <= columns, `${line.length} of ${columns}: ${line}`);
  });

  it('say so when there are none', () =>
    assert.deepEqual(metricsTable('train', viewOf([]), WIDE), ['train attempt 1: running', 'no metrics yet']));

  it('have colour on a terminal only, and none with NO_COLOR or a dumb one', () => {
    const terminal = { isTTY: true, columns: 100 };
    assert.deepEqual(screenOf(terminal, {}), { columns: 100, colour: true, live: true });
    assert.equal(screenOf(terminal, { NO_COLOR: '1' }).colour, false);
    assert.deepEqual(screenOf(terminal, { TERM: 'dumb' }), { columns: 100, colour: false, live: false });
    assert.deepEqual(screenOf({}, { COLUMNS: '60' }), { columns: 60, colour: false, live: false });
    const coloured = metricsTable('t', viewOf([loss]), { ...WIDE, colour: true });
    assert.ok(coloured.at(-1)?.includes('\u001B[36m█▄▂▁\u001B[39m'));
  });
});

describe('metrics for Prometheus', () => {
  it('are the last values by legal names, and a label of the job’s own hides no other', () => {
    const view = viewOf([{ ...loss, name: 'val/loss', labels: { job: 'mine' } }, memory]);
    assert.equal(
      prometheusText(view),
      [
        '# TYPE ringfence_job_val_loss gauge',
        `ringfence_job_val_loss{job="${view.state.job}",attempt="1",exported_job="mine"} 1 3000`,
        '# TYPE ringfence_attempt_memory gauge',
        `ringfence_attempt_memory{job="${view.state.job}",attempt="1"} 2000000 1`,
        '',
      ].join('\n'),
    );
  });
});
