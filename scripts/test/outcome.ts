import { SKIP_PREFIX } from '../needs.ts';

/** How one test or skipped suite ended; `file` is absolute, or '' when a runner of several files failed itself. */
export type TestOutcome = {
  name: string;
  file: string;
  line: number;
  /** Time of a test that is part of no other, in milliseconds. */
  duration?: number;
} & ({ result: 'passed' } | { result: 'skipped' | 'failed'; reason: string });

/** A failed test for people: one line that says which and why, and all that is known. */
export type Failure = { line: string; details: string };

/** Sums of a run, and its failures and absent needs for people. */
export type TestReport = {
  passed: number;
  failed: number;
  skipped: number;
  failures: readonly Failure[];
  notRunHere: readonly string[];
};

const LONGEST_LINE = 240;
const LONGEST_DETAILS = 12_000;

/**
 * Adds outcomes up. A skip that no declared need explains is a failure in every run; with `full`, every skip is one.
 * `place` turns an absolute path into what people should read.
 */
export function summarise(
  outcomes: readonly TestOutcome[],
  full: boolean,
  place: (file: string) => string,
): TestReport {
  const label = ({ name, file, line }: TestOutcome) => (file === '' ? name : `${name} (${place(file)}:${line})`);
  const failures: Failure[] = [];
  const notRunHere: string[] = [];
  let passed = 0;
  for (const outcome of outcomes) {
    if (outcome.result === 'passed') passed += 1;
    else if (outcome.result === 'failed') failures.push(failure(label(outcome), outcome.reason));
    else if (!outcome.reason.startsWith(SKIP_PREFIX))
      failures.push(failure(label(outcome), 'skipped without a need from scripts/needs.ts'));
    else if (full) failures.push(failure(label(outcome), outcome.reason));
    else notRunHere.push(`${label(outcome)}, ${outcome.reason}`);
  }
  return { passed, failed: failures.length, skipped: notRunHere.length, failures, notRunHere };
}

function failure(label: string, reason: string): Failure {
  const [first = ''] = reason.split('\n', 1);
  return {
    line: `${label}: ${first}`.slice(0, LONGEST_LINE),
    details: `${label}\n${withoutMiddle(reason).replaceAll(/^/gm, '    ')}`,
  };
}

/** Its begin and its end: what explains a failure seldom lies between. */
function withoutMiddle(text: string): string {
  if (text.length <= LONGEST_DETAILS) return text;
  const half = LONGEST_DETAILS / 2;
  return `${text.slice(0, half)}\n… ${text.length - 2 * half} characters left out …\n${text.slice(-half)}`;
}
