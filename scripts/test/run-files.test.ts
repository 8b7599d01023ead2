import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { summarise, type TestReport } from './outcome.ts';
import { runFiles } from './run-files.ts';

const NEEDS = JSON.stringify(join(import.meta.dirname, '../needs.ts'));
const HEAD = `import assert from 'node:assert'; import test, { describe } from 'node:test'; import { missing, need } from ${NEEDS};\n`;
const NAMES = ['one', 'two', 'three'];

/** Runs test files with the given sources in a folder of their own. */
async function run(source: string | readonly string[], full = false, quietMs = 60_000): Promise<TestReport> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-test-runner-'));
  try {
    const files = new Map([source].flat().map((text, at) => [`${NAMES[at] ?? assert.fail()}.test.mts`, text]));
    for (const [name, text] of files) writeFileSync(join(folder, name), HEAD + text);
    const outcomes = await runFiles({
      folder,
      files: [...files.keys()],
      full,
      timeoutMs: 60_000,
      quietMs,
      onOutcome: () => {},
    });
    return summarise(outcomes, full, (file) => file.replace(`${folder}/`, ''));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const text = ({ failures }: TestReport): string =>
  failures.map(({ line, details }) => `${line}\n${details}`).join('\n');
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

for (const [name, source, expected, expectedFull] of CASES) {
  test(`a file with ${name}`, async () => {
    assert.deepEqual(counts(await run(source)), expected);
    if (expectedFull !== undefined) assert.deepEqual(counts(await run(source, true)), expectedFull);
  });
}

test('a file that ends the process fails the run and is named, with its last words', async () => {
  const report = await run(`console.log('last words'); process.exit(3);`);
  assert.equal(report.failed, 1, text(report));
  assert.match(text(report), /one\.test\.mts:0\): last words\n/);
});

test('a file that ends the process with 0 fails the run, and those that never ran are named', async () => {
  const sources = [`test('a', () => {});`, `test('b', () => {}); process.exit(0);`, `test('c', () => {});`];
  const report = await run(sources);
  assert.equal(report.failed, 1, text(report));
  assert.match(text(report), /before all had run/);
  assert.match(text(report), /nothing was heard of .*three\.test\.mts/);
  assert.deepEqual(counts(await run(`test('a', () => process.exit(0));`)), [0, 1, 0]);
});

test('a file without a test fails the run and is named', async () => {
  const report = await run([`test('a', () => {});`, ``, `describe('s', () => {});`]);
  assert.deepEqual(counts(report), [1, 2, 0]);
  assert.match(text(report), /two\.test\.mts:1\): the file has no test/);
  assert.match(text(report), /three\.test\.mts:0\): nothing was heard of it/);
  assert.deepEqual(counts(await run(``)), [0, 1, 0]);
});

test('a file that a forgotten timer keeps alive is stopped and named', async () => {
  const report = await run(`test('a', () => {}); setInterval(() => {}, 1000);`, false, 5_000);
  assert.deepEqual(counts(report), [1, 1, 0]);
  assert.match(text(report), /one\.test\.mts/);
  assert.match(text(report), /left open/);
});

test('a passed test is heard of before the next one begins, also where no test waits for anything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-test-runner-'));
  const heard = join(folder, 'heard');
  const busyUntilHeard = `
    import { existsSync } from 'node:fs';
    test('a', () => {});
    test('b', () => {
      const end = Date.now() + 20_000;
      while (!existsSync(${JSON.stringify(heard)}) && Date.now() < end);
      assert.ok(existsSync(${JSON.stringify(heard)}));
    });`;
  try {
    writeFileSync(join(folder, 'one.test.mts'), HEAD + busyUntilHeard);
    const limits = { full: false, timeoutMs: 60_000, quietMs: 60_000 };
    const onOutcome = (): void => writeFileSync(heard, '');
    const outcomes = await runFiles({ folder, files: ['one.test.mts'], ...limits, onOutcome });
    assert.deepEqual(
      outcomes.map(({ result }) => result),
      ['passed', 'passed'],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file that does not parse fails the run', async () => {
  const report = await run(`const = ;`);
  assert.equal(report.failed, 1, text(report));
});

test('a failure has one line with its reason, and long details without their middle', () => {
  const outcome = {
    name: 'a',
    file: '/x/a.test.ts',
    line: 1,
    result: 'failed',
    reason: `why\n${'x'.repeat(50_000)}end`,
  } as const;
  const [failure] = summarise([outcome], false, (file) => file).failures;
  assert.equal(failure?.line, 'a (/x/a.test.ts:1): why');
  assert.ok(failure.details.length < 13_000 && failure.details.endsWith('xend'));
});

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
  assert.match(text(report), /apt-get install openssl/);
});
