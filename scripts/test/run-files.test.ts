import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { summarise, type TestReport } from './outcome.ts';
import { runFiles } from './run-files.ts';

const NEEDS = JSON.stringify(join(import.meta.dirname, '../needs.ts'));
const HEAD = `import assert from 'node:assert'; import test, { describe } from 'node:test'; import { missing, need } from ${NEEDS};\n`;

/** Runs one test file with the given source in a folder of its own. */
async function run(source: string, flags: string[], full: boolean, quietMs = 60_000): Promise<TestReport> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-test-runner-'));
  try {
    writeFileSync(join(folder, 'one.test.mts'), HEAD + source);
    const outcomes = await runFiles({ folder, files: ['one.test.mts'], flags, full, quietMs, onOutcome: () => {} });
    return summarise(outcomes, full, (file) => file.replace(`${folder}/`, ''));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const counts = ({ passed, failed, skipped }: TestReport) => [passed, failed, skipped];

const CASES: [name: string, source: string, expected: number[], expectedFull?: number[]][] = [
  [
    'two passes and a suite',
    `test('a', () => {}); describe('s', () => { test('b', () => {}); });`,
    [2, 0, 0],
    [2, 0, 0],
  ],
  ['a failed assertion', `test('a', () => assert.equal(1, 2)); test('b', () => {});`, [1, 1, 0]],
  ['a failed subtest, counted once', `test('a', (t) => t.test('b', () => assert.fail()));`, [0, 1, 0]],
  ['an absent need', `test('a', (t) => { if (!need(t, 'full')) return; });`, [0, 0, 1], [1, 0, 0]],
  [
    'a suite with an absent need',
    `describe('s', { skip: missing('full') }, () => { test('a', () => {}); });`,
    [0, 0, 1],
    [1, 0, 0],
  ],
  ['a skip nobody declared', `test('a', { skip: 'flaky' }, () => {});`, [0, 1, 0]],
  ['a todo', `test('a', { todo: true }, () => {});`, [0, 1, 0]],
  ['a rejection that nothing awaits', `test('a', () => { Promise.reject(new Error('lost')); });`, [1, 1, 0]],
  [
    'a failing hook',
    `describe('s', () => { test.before(() => assert.fail()); test('a', () => {}); });`,
    [0, 2, 0],
    [0, 2, 0],
  ],
];

for (const [isolation, flags] of Object.entries({
  none: ['--test-isolation=none'],
  process: ['--test-concurrency=1'],
})) {
  // A process for each file takes seconds; there the cases differ from a shared process only in the first few.
  for (const [name, source, expected, expectedFull] of isolation === 'none' ? CASES : CASES.slice(0, 4)) {
    test(`isolation ${isolation}: ${name}`, async () => {
      assert.deepEqual(counts(await run(source, flags, false)), expected);
      if (expectedFull !== undefined) assert.deepEqual(counts(await run(source, flags, true)), expectedFull);
    });
  }

  test(`isolation ${isolation}: a file that ends the process fails the run`, async () => {
    const report = await run(`console.log('last words'); process.exit(3);`, flags, false);
    assert.equal(report.failed, 1, report.failures.join());
  });

  test(`isolation ${isolation}: a file that a forgotten timer keeps alive is stopped and named`, async () => {
    const report = await run(`test('a', () => {}); setInterval(() => {}, 1000);`, flags, false, 1000);
    assert.deepEqual(counts(report), [1, 1, 0]);
    assert.match(report.failures.join(), /one\.test\.mts/);
    assert.match(report.failures.join(), /left open/);
  });

  test(`isolation ${isolation}: a file that does not parse fails the run`, async () => {
    const report = await run(`const = ;`, flags, false);
    assert.equal(report.failed, 1, report.failures.join());
  });
}

test('a need that stays absent fails a full run and names the remedy', () => {
  const outcome = {
    name: 'a',
    file: '/x/a.test.ts',
    line: 1,
    result: 'skipped',
    reason: 'needs openssl (apt-get install openssl)',
  } as const;
  const report = summarise([outcome], true, (file) => file);
  assert.deepEqual(counts(report), [0, 1, 0]);
  assert.match(report.failures.join(), /apt-get install openssl/);
});
