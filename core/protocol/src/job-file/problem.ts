import { RingfenceError } from '@ringfence/base';

/** What can be wrong with a job file; codes are API, messages are not. */
export const PROBLEM_CODES = [
  'too-large',
  'too-deep',
  'yaml-syntax',
  'yaml-feature',
  'duplicate-key',
  'unknown-key',
  'missing',
  'empty',
  'wrong-shape',
  'wrong-value',
  'out-of-range',
  'unsafe-path',
  'reserved',
  'secret-value',
  'contradiction',
  'not-yet',
  'looser-than-label',
  'looser-than-profile',
] as const;

/** One of {@link PROBLEM_CODES}. */
export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** One wrong field. No member ever holds a value of the file: it may be a secret or a patient's name. */
export interface Problem {
  /** `resources.memory`, `secrets[0]`, `mounts./data.dataset`; empty for the file as a whole. */
  readonly path: string;
  readonly code: ProblemCode;
  readonly message: string;
  /** The key or word of Ringfence's own vocabulary that was probably meant. */
  readonly nearest?: string;
  /** Counted from 1. */
  readonly line?: number;
}

/** A job file that cannot be used as it is: every problem at once, in the order of the file. */
export class JobFileError extends RingfenceError<'job-file-invalid'> {
  readonly problems: readonly Problem[];

  /** `of`: what was read. */
  constructor(problems: readonly Problem[], of = 'job file') {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super('job-file-invalid', `the ${of} has ${count}:\n${problems.map(describeProblem).join('\n')}`, {
      next: 'correct these places and try again',
    });
    this.problems = problems;
  }
}

/** One line for people: `line 4: resources.memroy: unknown key, did you mean memory?`. */
export function describeProblem({ path, line, message, nearest }: Problem): string {
  const where = [line === undefined ? '' : `line ${line}`, path].filter((part) => part !== '').join(': ');
  const hint = nearest === undefined ? '' : `, did you mean ${nearest}?`;
  return `  ${where === '' ? '' : `${where}: `}${message}${hint}`;
}
