// `npm test [-- PATH…]` and `npm run test:full [-- --rest] [PATH…]`.
// --rest leaves out the files that the last `npm test` of this checkout already ran without a skip (used by CI).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { summarise, type TestOutcome } from './test/outcome.ts';
import { runFiles } from './test/run-files.ts';
import { byIsolation, findTestFiles, isFullOnly } from './test/test-files.ts';

const checkout = resolve(import.meta.dirname, '..');
const record = join(checkout, 'node_modules/.cache/ringfence-tests.json');
const options = { full: { type: 'boolean', default: false }, rest: { type: 'boolean', default: false } } as const;
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const { full, rest } = values;

const MARKS = { passed: '.', skipped: 's', failed: 'F' } as const;
const LINE_WIDTH = 100;
let marks = 0;

function mark({ result }: TestOutcome): void {
  marks += 1;
  process.stdout.write(MARKS[result] + (marks % LINE_WIDTH === 0 ? '\n' : ''));
}

/** What an `npm test` left for `test:full --rest`: the files with nothing but passes, and how many passes they had. */
type Record = { complete: readonly string[]; passed: number };

function readRecord(): Record {
  if (!rest || !existsSync(record)) return { complete: [], passed: 0 };
  return JSON.parse(readFileSync(record, 'utf8')) as Record;
}

function writeRecord(files: readonly string[], outcomes: readonly TestOutcome[]): void {
  const place = ({ file }: TestOutcome) => relative(checkout, file);
  const unfinished = new Set(outcomes.filter(({ result }) => result !== 'passed').map(place));
  const complete = files.filter((path) => !unfinished.has(path));
  const passed = outcomes.filter((outcome) => complete.includes(place(outcome))).length;
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, JSON.stringify({ complete, passed } satisfies Record));
}

async function runAll(files: readonly string[]): Promise<TestOutcome[]> {
  const { pure, apart } = byIsolation(files);
  const seconds = full ? 900 : 120;
  const common = { folder: checkout, full, quietMs: (seconds + 5) * 1000, onOutcome: mark };
  const timeout = `--test-timeout=${seconds * 1000}`;
  // Two processes for two cores; pure files share a process, because starting one costs more than most of them take.
  const halves = [0, 1].map((half) => pure.filter((_, index) => index % 2 === half));
  const units = await Promise.all(
    halves.map((half) => runFiles({ ...common, files: half, flags: ['--test-isolation=none', timeout] })),
  );
  return [...units.flat(), ...(await runFiles({ ...common, files: apart, flags: ['--test-concurrency=2', timeout] }))];
}

const start = performance.now();
const before = readRecord();
const files = findTestFiles(checkout, positionals).filter(
  (path) => (full || !isFullOnly(path)) && !before.complete.includes(path),
);
const outcomes = await runAll(files);
if (!full && positionals.length === 0) writeRecord(files, outcomes);

const report = summarise(outcomes, full, (file) => relative(checkout, file));
console.log(`\n${files.length} files in ${((performance.now() - start) / 1000).toFixed(1)} s`);
for (const failure of report.failures) console.log(`\nFAILED ${failure}`);
if (rest) console.log(`\n${before.passed} of the passed ones passed in the npm test before`);
console.log(`\n${before.passed + report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`);

const fullOnly = full ? [] : findTestFiles(checkout, positionals).filter(isFullOnly);
const notRunHere = [...report.notRunHere, ...fullOnly.map((path) => `${path}, needs full (npm run test:full)`)];
if (!full) console.log(`not run here: ${notRunHere.length === 0 ? 'nothing' : ''}`);
for (const line of notRunHere) console.log(`  ${line}`);
process.exitCode = report.failed === 0 ? 0 : 1;
