import assert from 'node:assert/strict';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { AttemptMetrics, type MeasuredJob } from './attempt-metrics.ts';
import { readMetricFile } from './metric-file.ts';
import { MetricPipe } from './metric-pipe.ts';

const IDLE: MeasuredJob = {
  now: () => ({ cpuMs: 0, memoryBytes: 1, processes: 1 }),
  diskBytes: async () => 0,
  cards: async () => [],
};

async function opened(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-attempt-metrics-'));
  const clock = new ManualClock();
  const pipe = await MetricPipe.make(join(folder, 'pipe'), null);
  const path = join(folder, 'metrics.jsonl');
  const metrics = new AttemptMetrics(path, { pipe, clock });
  const writer = openSync(join(pipe.folder, 'pipe'), constants.O_WRONLY | constants.O_NONBLOCK);
  t.after(() => {
    metrics.close();
    closeSync(writer);
    rmSync(folder, { recursive: true, force: true });
  });
  const valuesOf = (name: string): number[] =>
    metrics.store.series
      .filter(({ series }) => series.name === name)
      .flatMap(({ points }) => points.all().map(({ value }) => value));
  return { clock, metrics, path, valuesOf, write: (text: string) => writeSync(writer, text) };
}

describe('the metrics of a running attempt', () => {
  it('read the pipe four times a second, whatever the job writes', async (t) => {
    const { clock, metrics, valuesOf, write } = await opened(t);
    metrics.watch(IDLE);
    write('loss 1\n');
    clock.advance(249);
    assert.deepEqual(valuesOf('loss'), []);
    clock.advance(1);
    assert.deepEqual(valuesOf('loss'), [1]);
  });

  it('tell how many cores were busy between two looks, and look less often at an older job', async (t) => {
    const { clock, metrics, valuesOf } = await opened(t);
    let looks = 0;
    metrics.watch({ ...IDLE, now: () => ({ cpuMs: 750 * looks++, memoryBytes: 5, processes: 2 }) });
    clock.advance(500);
    assert.deepEqual(valuesOf('cpu'), [1.5]);
    clock.advance(9_500);
    const young = looks;
    clock.advance(10_000);
    assert.ok(young >= 20 && looks - young <= 5, `${young} and ${looks - young} looks`);
  });

  it('keep what was used last when the last process has ended, and take what it still reports', async (t) => {
    const { clock, metrics, valuesOf, write } = await opened(t);
    let processes = 2;
    metrics.watch({ ...IDLE, now: () => ({ cpuMs: 0, memoryBytes: processes * 10, processes }) });
    clock.advance(1_000);
    processes = 0;
    write('loss 1\n');
    clock.advance(30_000);
    assert.equal(valuesOf('memory').at(-1), 20);
    assert.equal(valuesOf('processes').at(-1), 2);
    assert.deepEqual(valuesOf('loss'), [1]);
  });

  it('take at the end what the job wrote last, and are in the file', async (t) => {
    const { metrics, path, valuesOf, write } = await opened(t);
    metrics.watch(IDLE);
    write('loss 1\nloss 2\nbroken\nloss 3');
    metrics.close();
    assert.deepEqual(valuesOf('loss'), [1, 2]);
    const kept = readMetricFile(path);
    assert.equal(kept.series.find(({ series }) => series.name === 'loss')?.points.all().length, 2);
    assert.deepEqual(kept.refused, { malformed: 1 });
  });

  it('leave no timer behind', async (t) => {
    const { clock, metrics } = await opened(t);
    metrics.watch(IDLE);
    clock.advance(60_000);
    await new Promise(setImmediate);
    assert.ok(clock.waiting > 0 && clock.waiting <= 3);
    metrics.close();
    assert.equal(clock.waiting, 0);
  });

  it('go on when a look fails', async (t) => {
    const { clock, metrics, valuesOf, write } = await opened(t);
    metrics.watch({
      now: () => assert.fail('gone'),
      diskBytes: () => Promise.reject(new Error('gone')),
      cards: () => Promise.reject(new Error('gone')),
    });
    clock.advance(1_000);
    write('loss 1\n');
    clock.advance(1_000);
    assert.deepEqual(valuesOf('loss'), [1]);
  });
});
