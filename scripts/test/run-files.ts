import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestOutcome } from './outcome.ts';

/** One call of Node's test runner; `files` are relative to `folder`. `onOutcome` hears each outcome as it comes. */
export type TestRun = {
  folder: string;
  files: readonly string[];
  flags: readonly string[];
  full: boolean;
  onOutcome: (outcome: TestOutcome) => void;
};

const REPORTER = join(import.meta.dirname, 'events-reporter.ts');
const KEPT_OUTPUT = 64 * 1024;

/** Runs the files and resolves with their outcomes; a runner that dies becomes a failed outcome with its last output. */
export async function runFiles({ folder, files, flags, full, onOutcome }: TestRun): Promise<TestOutcome[]> {
  if (files.length === 0) return [];
  const child = spawn(process.execPath, ['--test', `--test-reporter=${REPORTER}`, ...flags, ...files], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // Without the reset, a runner started by a test would take itself for a test file of the outer runner.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, RINGFENCE_TEST_FULL: full ? '1' : '0' },
  });
  const outcomes: TestOutcome[] = [];
  let output = '';
  const keep = (text: string) => (output = (output + text).slice(-KEPT_OUTPUT));
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  const lines = createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
    const outcome = JSON.parse(line) as TestOutcome;
    outcomes.push(outcome);
    onOutcome(outcome);
  });
  const linesRead = new Promise((resolve) => lines.once('close', resolve));
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  await linesRead;
  const explained = outcomes.some(({ result }) => result === 'failed');
  if (code === 0 || explained) return outcomes;
  const died: TestOutcome = {
    name: `test runner ended with ${code}`,
    file: '',
    line: 0,
    result: 'failed',
    reason: output,
  };
  onOutcome(died);
  return [...outcomes, died];
}
