import { SKIP_PREFIX } from '../needs.ts';

/** How one test or skipped suite ended; `file` is absolute, or '' when the runner itself failed. */
export type TestOutcome = {
  name: string;
  file: string;
  line: number;
} & ({ result: 'passed' } | { result: 'skipped' | 'failed'; reason: string });

/** Sums of a run, and its failures and absent needs as lines for people. */
export type TestReport = {
  passed: number;
  failed: number;
  skipped: number;
  failures: readonly string[];
  notRunHere: readonly string[];
};

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
  const failures: string[] = [];
  const notRunHere: string[] = [];
  let passed = 0;
  for (const outcome of outcomes) {
    if (outcome.result === 'passed') passed += 1;
    else if (outcome.result === 'failed') failures.push(`${label(outcome)}\n${indent(outcome.reason)}`);
    else if (!outcome.reason.startsWith(SKIP_PREFIX))
      failures.push(`${label(outcome)}\n    skipped without a need from scripts/needs.ts`);
    else if (full) failures.push(`${label(outcome)}\n    ${outcome.reason}`);
    else notRunHere.push(`${label(outcome)}, ${outcome.reason}`);
  }
  return { passed, failed: failures.length, skipped: notRunHere.length, failures, notRunHere };
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
