import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { epochMs } from '@ringfence/base';
import fc from 'fast-check';
import { MetricFile, readMetricFile, REWRITE_AFTER } from './metric-file.ts';
import { JOB_SERIES, MetricStore, type Measured } from './metric-store.ts';

const SEED = 990_017;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'ringfence-metric-file-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function contentOf(store: MetricStore) {
  return {
    series: store.series.map(({ series, points }) => ({ series, points: points.all() })),
    refused: store.refused,
    newest: store.newest,
  };
}

const loss = (value: number): Measured => ({ source: 'job', name: 'loss', labels: { split: 'é' }, value, step: value });

describe('the file of an attempt’s metrics', () => {
  it('holds what the store holds, before it was written anew and after', (t) => {
    const path = join(folder(t), 'metrics.jsonl');
    const store = new MetricStore();
    const file = new MetricFile(path, store);
    for (const turns of [10, 12_000]) {
      for (let turn = 0; turn < turns; turn += 1) {
        if (turn % 1_000 === 0) store.refuse('malformed', 1);
        const cpu: Measured = { source: 'machine', name: 'cpu', labels: {}, unit: 'cores', value: turn / 3 };
        file.append(store.take(epochMs(1_700_000_000_000 + turn), [loss(turn), cpu]));
      }
      assert.deepEqual(contentOf(readMetricFile(path)), contentOf(store));
    }
    assert.ok(statSync(path).size < REWRITE_AFTER + 200_000);
    file.close();
  });

  it('never grows beyond its bound under a flood of the longest names and numbers', (t) => {
    const path = join(folder(t), 'metrics.jsonl');
    const store = new MetricStore();
    const file = new MetricFile(path, store);
    let largest = 0;
    for (let turn = 0; turn < 3_000; turn += 1) {
      const values = Array.from({ length: JOB_SERIES }, (_, number): Measured => ({
        source: 'job',
        name: `${'n'.repeat(60)}${number}`,
        labels: {},
        value: -1.234_567_890_123_456e-300 * (turn + 1),
        step: Number.MAX_SAFE_INTEGER - turn,
      }));
      file.append(store.take(epochMs(1_700_000_000_000 + turn), values));
      if (turn % 100 === 0) largest = Math.max(largest, statSync(path).size);
    }
    file.close();
    assert.ok(largest > REWRITE_AFTER && largest < 5_000_000, String(largest));
    assert.deepEqual(contentOf(readMetricFile(path)), contentOf(store));
  });

  it('takes room for every byte that it keeps, gives back what writing it anew saved, and ends where there is none', (t) => {
    const path = join(folder(t), 'metrics.jsonl');
    const store = new MetricStore();
    let [taken, most, least] = [0, Number.POSITIVE_INFINITY, 0];
    const take = (bytes: number): boolean => {
      if (taken + bytes > most) return false;
      taken += bytes;
      least = Math.min(least, bytes);
      return true;
    };
    const file = new MetricFile(path, store, take);
    const write = (from: number, turns: number): void => {
      for (let turn = from; turn < from + turns; turn += 1) {
        file.append(store.take(epochMs(1_700_000_000_000 + turn), [loss(turn), { ...loss(turn), name: 'other' }]));
        if (turn % 1_000 === 0) assert.equal(taken, statSync(path).size);
      }
    };
    write(0, 12_000);
    assert.ok(least < 0, 'it was written anew');
    const kept = contentOf(readMetricFile(path));
    assert.deepEqual(kept, contentOf(store));
    most = taken + 10;
    write(12_000, 100);
    assert.equal(taken, statSync(path).size);
    // What is kept is what was kept: no later point stands for an earlier one.
    assert.deepEqual(contentOf(readMetricFile(path)), kept);
  });

  it('gives up to a crash in the middle of a line everything before that line', (t) => {
    const path = join(folder(t), 'metrics.jsonl');
    const store = new MetricStore();
    const file = new MetricFile(path, store);
    for (let turn = 0; turn < 20; turn += 1) file.append(store.take(epochMs(turn), [loss(turn)]));
    file.close();
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (let size = statSync(path).size; size > 0; size -= 1) {
      truncateSync(path, size);
      const whole = readFileSync(path, 'utf8').split('\n').length - 1;
      const points = readMetricFile(path).series.reduce((sum, one) => sum + one.points.all().length, 0);
      // The first line names the series; a last line that lacks nothing but its end counts as whole.
      const expected = Math.max(0, whole - 1);
      assert.ok(points === expected || (points === expected + 1 && lines[whole] !== undefined));
    }
  });

  it(`of which a disk made something else is read without harm (seed ${SEED})`, (t) => {
    const path = join(folder(t), 'metrics.jsonl');
    const good = [
      '{"series":{"source":"job","name":"a","labels":{}}}',
      '{"points":[[0,[5,1,null]]]}',
      '{"tier":[0,0,[[5,1,null]]]}',
    ];
    const line = fc.oneof(
      fc.constantFrom(
        ...good,
        '{"tier":[0,-1,[]]}',
        '{"tier":[0,1e9,[]]}',
        '{"points":[[9,[1,1,1]]]}',
        '{"refused":{"lost":1}}',
      ),
      fc.json(),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
        writeFileSync(path, lines.join('\n'));
        const store = readMetricFile(path);
        for (const { points } of store.series) points.all();
      }),
      { numRuns: 2_000, seed: SEED },
    );
  });

  it('is empty where there is none', () => {
    assert.deepEqual(contentOf(readMetricFile('/nonexistent/metrics.jsonl')), { series: [], refused: {}, newest: 0 });
  });
});
