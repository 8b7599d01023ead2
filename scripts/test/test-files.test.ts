import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { completeFiles } from './complete-files.ts';
import { EXPECTED_SECONDS } from './expected-seconds.ts';
import type { TestOutcome } from './outcome.ts';
import { doesMoreInFull, findTestFiles, testUnits } from './test-files.ts';
import { LONGER_SECONDS, timeLimits } from './time-limits.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');

test('every test file runs in exactly one process, and the longest starts first', () => {
  const files = findTestFiles(CHECKOUT, []);
  const units = testUnits(files);
  assert.deepEqual(units.flatMap((unit) => unit.files).toSorted(), files);
  const seconds = units.map((unit) => unit.seconds);
  assert.deepEqual(
    seconds,
    seconds.toSorted((a, b) => b - a),
  );
  assert.ok(files.length > 300 && units.length < files.length / 2);
});

test('files that were expected to take long are there', () => {
  assert.deepEqual(
    [...Object.keys(EXPECTED_SECONDS), ...Object.keys(LONGER_SECONDS)].filter(
      (path) => !existsSync(join(CHECKOUT, path)),
    ),
    [],
  );
});

test('the longest test has a limit of its own, and its runner waits for that', () => {
  const usual = { timeoutMs: 900_000, quietMs: 905_000 };
  assert.deepEqual(timeLimits(['tests/e2e/serving.full.test.ts'], 900_000), usual);
  assert.deepEqual(timeLimits(['tests/chaos/chaos.full.test.ts'], 900_000), {
    timeoutMs: 2_400_000,
    quietMs: 2_405_000,
  });
});

test('a fuzz that takes a tenth of its cases in npm test takes all of them in what test:full runs after it', () => {
  const text = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8');
  assert.ok(doesMoreInFull(text('core/protocol/src/job-file/job-file.fuzz.test.ts')));
  assert.ok(!doesMoreInFull(text('core/protocol/src/job-file/parse.test.ts')));
});

test('only what passed as a whole need not be run again', () => {
  const outcome = (file: string, result: 'passed' | 'skipped'): TestOutcome =>
    result === 'passed'
      ? { name: 'a', file, line: 1, result }
      : { name: 'a', file, line: 1, result, reason: 'needs root (run as root)' };
  const complete = (files: string[], outcomes: TestOutcome[], more?: string) =>
    completeFiles(
      [{ unit: { files, seconds: 1 }, outcomes, seconds: 1, cpuSeconds: 1 }],
      (file) => file,
      (path) => path === more,
    );
  const [passed, skipped] = [outcome('a.test.ts', 'passed'), outcome('b.test.ts', 'skipped')];
  assert.deepEqual(complete(['a.test.ts', 'b.test.ts'], [passed, skipped]), { files: ['a.test.ts'], passed: 1 });
  const elsewhere = outcome('levels.fixture.ts', 'skipped');
  assert.deepEqual(complete(['a.test.ts', 'b.test.ts'], [passed, elsewhere]), { files: [], passed: 0 });
  const there = outcome('levels.fixture.ts', 'passed');
  assert.deepEqual(complete(['a.test.ts'], [passed, there]), { files: ['a.test.ts'], passed: 2 });
  assert.deepEqual(complete(['a.test.ts', 'b.test.ts'], [passed]), { files: ['a.test.ts'], passed: 1 });
  assert.deepEqual(complete(['a.test.ts'], []), { files: [], passed: 0 });
  assert.deepEqual(complete(['a.test.ts'], [passed], 'a.test.ts'), { files: [], passed: 0 });
  const both = [passed, outcome('c.test.ts', 'passed')];
  assert.deepEqual(complete(['a.test.ts', 'c.test.ts'], both, 'c.test.ts'), { files: ['a.test.ts'], passed: 1 });
});
