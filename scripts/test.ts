// `npm test [-- PATH…]` and `npm run test:full [-- --rest] [PATH…]`.
// --rest leaves out the files that the last `npm test` of this checkout already ran without a skip and in full (used by CI).
// --durations ends with the slowest files, --places N runs N processes at a time.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { completeFiles, type CompleteFiles } from './test/complete-files.ts';
import { openDatabaseServer } from './test/database-server.ts';
import { summarise, type TestOutcome } from './test/outcome.ts';
import { bundlePrograms } from './test/programs.ts';
import { durationLines, fileDurations, sharedDurations, totalLine } from './test/durations.ts';
import { runUnits, type UnitRun } from './test/run-units.ts';
import { doesMoreInFull, findTestFiles, isFullOnly, testUnits } from './test/test-files.ts';

const checkout = resolve(import.meta.dirname, '..');
const record = join(checkout, 'node_modules/.cache/ringfence-tests.json');
const flag = { type: 'boolean', default: false } as const;
const options = { full: flag, rest: flag, durations: flag, places: { type: 'string', default: '2' } } as const;
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const { full, rest } = values;
const SLOWEST_SHOWN = 25;

const MARKS = { passed: '.', skipped: 's' } as const;
const LINE_WIDTH = 100;
let marks = 0;

/** A mark for each test as it ends, and a line for each that failed: a run that is cut off has said which. */
function mark(outcome: TestOutcome): void {
  if (outcome.result === 'failed') {
    const [failure] = summarise([outcome], full, place).failures;
    process.stdout.write(`${marks === 0 ? '' : '\n'}FAILED ${failure?.line}\n`);
    marks = 0;
    return;
  }
  marks += 1;
  process.stdout.write(MARKS[outcome.result]);
  if (marks === LINE_WIDTH) process.stdout.write('\n');
  marks %= LINE_WIDTH;
}

/** What an `npm test` left for `test:full --rest`. */
function readRecord(): CompleteFiles {
  if (!rest || !existsSync(record)) return { files: [], passed: 0 };
  return JSON.parse(readFileSync(record, 'utf8')) as CompleteFiles;
}

function writeRecord(complete: CompleteFiles): void {
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, JSON.stringify(complete));
}

const place = (file: string): string => relative(checkout, file);

async function runAll(files: readonly string[]): Promise<UnitRun[]> {
  const common = { folder: checkout, full, timeoutMs: (full ? 900 : 120) * 1000, onOutcome: mark };
  // What waits now may be busy a moment later: where nobody waits for the end, no third process takes time from tests with deadlines.
  const places = { fixed: Number(values.places), oneMore: process.env['CI'] === undefined };
  const removeServer = await openDatabaseServer(files);
  try {
    await bundlePrograms(checkout, files);
    return await runUnits(testUnits(files), places, common);
  } finally {
    await removeServer();
  }
}

const start = performance.now();
const before = readRecord();
const files = findTestFiles(checkout, positionals).filter(
  (path) => (full || !isFullOnly(path)) && !before.files.includes(path),
);
const runs = await runAll(files);
const outcomes = runs.flatMap((run) => run.outcomes);
if (!full && positionals.length === 0) {
  const doesMore = (path: string) => doesMoreInFull(readFileSync(join(checkout, path), 'utf8'));
  writeRecord(completeFiles(runs, place, doesMore));
}

const report = summarise(outcomes, full, place);
console.log(`\n${files.length} files in ${((performance.now() - start) / 1000).toFixed(1)} s`);
if (values.durations) {
  for (const lines of [fileDurations(runs, place), sharedDurations(runs)])
    console.log(durationLines(lines, SLOWEST_SHOWN).join('\n'));
  console.log(totalLine(runs));
}
for (const { details } of report.failures) console.log(`\nFAILED ${details}`);
if (rest) console.log(`\n${before.passed} of the passed ones passed in the npm test before`);
// Whoever sees the end alone sees which failed and why.
console.log('');
for (const { line } of report.failures) console.log(`FAILED ${line}`);
console.log(`${before.passed + report.passed} passed, ${report.failed} failed, ${report.skipped} skipped`);

const fullOnly = full ? [] : findTestFiles(checkout, positionals).filter(isFullOnly);
const notRunHere = [...report.notRunHere, ...fullOnly.map((path) => `${path}, needs full (npm run test:full)`)];
if (!full) console.log(`not run here: ${notRunHere.length === 0 ? 'nothing' : ''}`);
for (const line of notRunHere) console.log(`  ${line}`);
process.exitCode = report.failed === 0 ? 0 : 1;
