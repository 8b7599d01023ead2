import assert from 'node:assert/strict';
import test from 'node:test';
import { durableGoal } from './disk.ts';
import { jsonLine, table } from './format.ts';
import { overRepeats, percentile, perSecond } from './measure.ts';
import { isMet, type Row } from './row.ts';

test('percentiles go by nearest rank', () => {
  const values = [15, 20, 35, 40, 50];
  assert.deepEqual(
    [0.05, 0.3, 0.4, 0.5, 1].map((fraction) => percentile(values, fraction)),
    [15, 20, 20, 35, 50],
  );
  assert.throws(() => percentile([], 0.5), RangeError);
});

test('repeats give their median and half their range', () => {
  assert.deepEqual(overRepeats([90, 100, 110]), { median: 100, spreadPercent: 10 });
});

test('a rate counts calls, whatever the operation costs', async () => {
  let calls = 0;
  const { median } = await perSecond(() => void (calls += 1), { repeats: 1, milliseconds: 5 });
  assert.ok(calls > 0 && median > 1000);
});

test('durable goals shrink with a slow disk and do not grow with a fast one', () => {
  assert.deepEqual(durableGoal({ atLeast: 4000 }, 500), { atLeast: 1000 });
  assert.deepEqual(durableGoal({ atMost: 150 }, 1000), { atMost: 300 });
  assert.deepEqual(durableGoal({ atLeast: 4000 }, 9000), { atLeast: 4000 });
});

test('a row prints as one JSON line and as a table line with its verdict', () => {
  const row: Row = {
    name: 'p50_ms',
    params: { level: 'L1' },
    value: 151.26,
    unit: 'ms',
    goal: { atMost: 150 },
    peer: '85 s',
  };
  assert.deepEqual(JSON.parse(jsonLine('launch-latency', row)), {
    bench: 'launch-latency',
    name: 'p50_ms',
    params: { level: 'L1' },
    value: 151.3,
    unit: 'ms',
    goal: '<= 150',
    peer: '85 s',
  });
  assert.match(table([row]), /p50_ms +151\.3 +ms +<= 150 +MISSED +85 s +level=L1$/m);
  assert.equal(isMet({ ...row, value: 150 }), true);
  assert.equal(isMet({ ...row, goal: { atLeast: 200 } }), false);
});
