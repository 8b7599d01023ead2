import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packList, parseJobFile, requireLabel, resolveJob, type WorkdirEntry } from '@ringfence/protocol/job-file';
import { FEATURES, readRows, stratifiedSplit } from './cell-nuclei.ts';
import { fitScaling, gradient, loss, probability, standardise, type Examples } from './logistic-regression.ts';

const HERE = import.meta.dirname;
const DATA = join(HERE, 'data');

interface Model {
  readonly features: readonly string[];
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly intercept: number;
  readonly weights: readonly number[];
  readonly split: { readonly seed: number; readonly train: number; readonly test: number };
  readonly testAccuracy: number;
  readonly confusion: Readonly<Record<string, number>>;
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('the job as it runs', () => {
  let out = '';
  let printed = '';
  let model: Model;
  let metrics: { trainAccuracy: number; testAccuracy: number; losses: { epoch: number; loss: number }[] };

  before(() => {
    out = mkdtempSync(join(tmpdir(), 'rf-tabular-'));
    const run = spawnSync(process.execPath, ['train.ts', '--data', DATA, '--out', out], {
      cwd: HERE,
      encoding: 'utf8',
    });
    assert.equal(run.status, 0, run.stderr);
    assert.equal(run.stderr, '');
    printed = run.stdout;
    model = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
    metrics = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'));
  });
  after(() => rmSync(out, { recursive: true, force: true }));

  test('reaches 0.95 on the held-out rows and says so', () => {
    assert.ok(model.testAccuracy >= 0.95, String(model.testAccuracy));
    assert.equal(metrics.testAccuracy, model.testAccuracy);
    assert.ok(printed.includes(`accuracy ${model.testAccuracy.toFixed(4)}`));
    assert.deepEqual([model.split.train, model.split.test], [456, 113]);
  });

  test('prints a loss that only falls', () => {
    const losses = [...printed.matchAll(/^epoch +(\d+) {2}loss (\d\.\d+)$/gm)].map(([, , value]) => Number(value));
    assert.equal(losses.length, 9);
    assert.ok(losses.every((value, index) => index === 0 || value < (losses[index - 1] ?? 0)));
    assert.equal(losses[0], 0.69315);
  });

  test('writes a model that gives its accuracy again, by arithmetic written anew', () => {
    const lines = readFileSync(join(DATA, 'breast-cancer.csv'), 'utf8').trim().split('\n').slice(1);
    const isRight = (line: string): boolean => {
      const cells = line.split(',').map(Number);
      let odds = model.intercept;
      for (let column = 0; column < 30; column += 1) {
        const cell = ((cells[column] ?? 0) - (model.means[column] ?? 0)) / (model.scales[column] ?? 0);
        odds += cell * (model.weights[column] ?? 0);
      }
      return odds >= 0 === (cells[30] === 0);
    };
    const held = new Set(
      stratifiedSplit(readRows(DATA), model.split.seed).test.map(({ features }) => features.join(',')),
    );
    const key = (line: string): string => line.split(',').slice(0, 30).map(Number).join(',');
    const test = lines.filter((line) => held.has(key(line)));
    assert.equal(test.length, 113);
    assert.equal(test.filter(isRight).length / 113, model.testAccuracy);
    const right = Math.round(metrics.trainAccuracy * 456) + Math.round(model.testAccuracy * 113);
    assert.equal(lines.filter(isRight).length, right);
    const { truePositive = 0, trueNegative = 0, falsePositive = 0, falseNegative = 0 } = model.confusion;
    assert.deepEqual([truePositive + falseNegative, trueNegative + falsePositive], [42, 71]);
    assert.equal((truePositive + trueNegative) / 113, model.testAccuracy);
    assert.deepEqual(model.features, FEATURES);
  });

  test('refuses to start without its folders, and to train on something else', () => {
    for (const args of [[], ['--data', DATA], ['--data', out, '--out', out]]) {
      const run = spawnSync(process.execPath, ['train.ts', ...args], { cwd: HERE, encoding: 'utf8' });
      assert.equal(run.status, 1);
    }
  });
});

describe('the data', () => {
  test('is what DATA.md says', () => {
    const bytes = readFileSync(join(DATA, 'breast-cancer.csv'));
    const page = readFileSync(join(HERE, 'DATA.md'), 'utf8');
    assert.equal(/`([0-9a-f]{64})`/.exec(page)?.[1], sha256(bytes));
    assert.ok(page.includes(`${bytes.length.toLocaleString('en-US')} bytes`));
    const rows = readRows(DATA);
    assert.equal(rows.length, 569);
    assert.deepEqual(
      [1, 0].map((label) => rows.filter(({ malignant }) => malignant === label).length),
      [212, 357],
    );
    // Ranges that the creators publish with the data.
    const range = (name: string): number[] => {
      const cells = rows.map(({ features }) => features[FEATURES.indexOf(name)] ?? 0);
      return [Math.min(...cells), Math.max(...cells)];
    };
    assert.deepEqual(range('mean radius'), [6.981, 28.11]);
    assert.deepEqual(range('error area'), [6.802, 542.2]);
    assert.deepEqual(range('worst fractal dimension'), [0.05504, 0.2075]);
  });

  test('is split the same way each time, a fifth of each class apart', () => {
    const rows = readRows(DATA);
    const { train, test: held } = stratifiedSplit(rows, 1995);
    assert.equal(new Set([...train, ...held]).size, 569);
    assert.deepEqual(
      [1, 0].map((label) => held.filter(({ malignant }) => malignant === label).length),
      [42, 71],
    );
    const fixed = held.map((row) => rows.indexOf(row)).join(',');
    assert.equal(sha256(fixed), 'a4cda77a0214aafd69251a06c432ffd81aec1e5fad205cc27197192f907b8b3b');
    assert.notEqual(
      sha256(
        stratifiedSplit(rows, 1996)
          .test.map((row) => rows.indexOf(row))
          .join(','),
      ),
      sha256(fixed),
    );
  });
});

describe('logistic regression', () => {
  const part = stratifiedSplit(readRows(DATA), 1995).test;
  const scaling = fitScaling(part.map(({ features }) => features));
  const examples: Examples = {
    rows: part.map(({ features }) => standardise(features, scaling)),
    targets: part.map(({ malignant }) => malignant),
  };

  test('its gradient is the slope of its loss (central differences)', () => {
    const model = { intercept: 0.3, weights: FEATURES.map((_, column) => Math.sin(column) / 4) };
    const penalty = 0.05;
    const step = 1e-5;
    const slope = gradient(examples, model, penalty);
    const rise = (change: (by: number) => typeof model): number =>
      (loss(examples, change(step), penalty) - loss(examples, change(-step), penalty)) / (2 * step);
    const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-8, `${a} ${b}`);
    close(
      slope.intercept,
      rise((by) => ({ ...model, intercept: model.intercept + by })),
    );
    slope.weights.forEach((value, column) => {
      const moved = (by: number): typeof model => ({
        ...model,
        weights: model.weights.with(column, (model.weights[column] ?? 0) + by),
      });
      close(value, rise(moved));
    });
  });

  test('its columns have mean 0 and deviation 1, and far values do not overflow', () => {
    for (const [column] of FEATURES.entries()) {
      const cells = examples.rows.map((row) => row[column] ?? 0);
      const sum = cells.reduce((total, cell) => total + cell, 0);
      const squares = cells.reduce((total, cell) => total + cell ** 2, 0);
      assert.ok(Math.abs(sum) < 1e-9 && Math.abs(squares / cells.length - 1) < 1e-9);
    }
    assert.deepEqual(fitScaling([[3], [3]]), { means: [3], scales: [1] });
    const steep = { intercept: 0, weights: [1] };
    assert.deepEqual([probability([1e4], steep), probability([-1e4], steep)], [1, 0]);
    assert.equal(loss({ rows: [[1e4], [-1e4]], targets: [1, 0] }, steep, 0), 0);
    assert.equal(loss({ rows: [[1e4]], targets: [0] }, steep, 0), 1e4);
  });
});

describe('job.yaml', () => {
  const file = parseJobFile(readFileSync(join(HERE, 'job.yaml'), 'utf8'));
  test('is the six-line kind and may run on internal data', () => {
    const job = resolveJob(file);
    requireLabel(file, 'internal');
    assert.equal(job.run, 'node train.ts --data /data --out /out');
    assert.deepEqual(job.mounts, [{ path: '/data', dataset: 'breast-cancer' }]);
    assert.deepEqual(job.outputs, [{ path: '/out', artifact: 'tabular-model' }]);
    assert.equal(readFileSync(join(HERE, 'job.yaml'), 'utf8').trim().split('\n').length, 6);
  });
  test('takes code along, not data and tests', () => {
    const entries = readdirSync(HERE, { recursive: true, withFileTypes: true }).map((entry): WorkdirEntry => {
      const path = join(entry.parentPath, entry.name);
      const kind = entry.isDirectory() ? 'directory' : 'file';
      return { path: relative(HERE, path), kind, size: statSync(path).size };
    });
    const ignoreFiles = ['.gitignore', '.ringfenceignore'].map((path) => ({
      path,
      text: readFileSync(join(HERE, path), 'utf8'),
    }));
    const pack = packList(entries, ignoreFiles);
    assert.ok(pack.allow);
    const travelling = pack.entries.map(({ path }) => path);
    assert.deepEqual(travelling, [
      '.gitignore',
      '.ringfenceignore',
      'cell-nuclei.ts',
      'job.yaml',
      'logistic-regression.ts',
      'serve.ts',
      'serve.yaml',
      'train.ts',
    ]);
  });
});
