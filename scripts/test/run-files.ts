import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestOutcome } from './outcome.ts';

/**
 * One process of Node's test runner; `files` are relative to `folder` and share it. `onOutcome` hears each outcome as it comes. When
 * nothing is heard for `quietMs`, the runner is stopped and the files still running fail: Node's own --test-timeout
 * does not cover a file whose tests are over and which a forgotten timer, socket or process keeps alive.
 */
export type TestRun = {
  folder: string;
  files: readonly string[];
  /** Milliseconds that one test may take. */
  timeoutMs: number;
  full: boolean;
  quietMs: number;
  /** Hears the runner's process id. */
  onStart?: (pid: number) => void;
  onOutcome: (outcome: TestOutcome) => void;
};

const REPORTER = join(import.meta.dirname, 'events-reporter.ts');
const TURN_BEFORE_TEST = join(import.meta.dirname, 'turn-before-test.ts');
const KEPT_OUTPUT = 64 * 1024;

/**
 * Runs the files and resolves with their outcomes. A runner that dies, or ends before it said that all is over, becomes a failed outcome with
 * its last output, and so does a file that ran no test.
 */
export async function runFiles(run: TestRun): Promise<TestOutcome[]> {
  const { folder, files, timeoutMs, full, quietMs, onStart, onOutcome } = run;
  if (files.length === 0) return [];
  const limits = ['--test-isolation=none', `--test-timeout=${timeoutMs}`];
  const flags = ['--test', ...limits, `--import=${TURN_BEFORE_TEST}`, `--test-reporter=${REPORTER}`];
  const child = spawn(process.execPath, [...flags, ...files], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // Without the reset, a runner started by a test would take itself for a test file of the outer runner.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, RINGFENCE_TEST_FULL: full ? '1' : '0' },
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  const outcomes: TestOutcome[] = [];
  const add = (outcome: TestOutcome): void => {
    outcomes.push(outcome);
    onOutcome(outcome);
  };
  let output = '';
  let over = false;
  const keep = (text: string) => (output = (output + text).slice(-KEPT_OUTPUT));
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  const lines = createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
    const outcome = JSON.parse(line) as TestOutcome | null;
    if (outcome === null) over = true;
    else add(outcome);
    quiet.refresh();
  });
  // Ctrl-C reaches the runner through the terminal's group; a SIGTERM to us alone would leave it and its files behind.
  const stop = () => child.kill('SIGTERM');
  process.once('SIGTERM', stop);
  let hung = false;
  const quiet = setTimeout(() => {
    hung = true;
    stop();
  }, quietMs);
  const linesRead = new Promise((resolve) => lines.once('close', resolve));
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  await linesRead;
  process.off('SIGTERM', stop);
  clearTimeout(quiet);
  const explained = outcomes.some(({ result }) => result === 'failed');
  const silent = silentFiles(run, outcomes);
  if (!explained && (code !== 0 || hung || !over)) {
    const name = hung ? 'a timer, socket or child process was left open' : endedWith(code);
    const [only = '', ...others] = files;
    const file = others.length === 0 ? join(folder, only) : '';
    const lastLine = output.trimEnd().split('\n').at(-1) ?? '';
    const unheard = silent.length === 0 ? '' : `nothing was heard of ${silent.join(' ')}`;
    const reason = [lastLine, `in ${files.join(' ')}`, unheard, output].filter((line) => line !== '').join('\n');
    add({ name, file, line: 0, result: 'failed', reason });
  } else
    for (const path of silent)
      add({ name: 'no test', file: join(folder, path), line: 0, result: 'failed', reason: 'nothing was heard of it' });
  return outcomes;
}

const endedWith = (code: number | null): string =>
  code === 0 ? 'a test ended the process before all had run' : `test runner ended with ${code}`;

/** Files of a run with no outcome; none where tests of another module ran, which may be of any of these files. */
function silentFiles({ folder, files }: TestRun, outcomes: readonly TestOutcome[]): string[] {
  const heard = new Set(outcomes.map(({ file }) => file));
  const paths = new Set(files.map((path) => join(folder, path)));
  if ([...heard].some((file) => !paths.has(file))) return [];
  return files.filter((path) => !heard.has(join(folder, path)));
}
