import { basename, dirname, resolve } from 'node:path';
import {
  convertJobFile,
  describeProblem,
  JobFileError,
  type Converted,
  type LeftOut,
} from '@ringfence/protocol/job-file';
import { CliError } from '../cli-error.ts';
import type { Terminal } from '../terminal.ts';

/** What a person says about keys of another platform’s file, and where they read about them. */
export interface ForeignWishes {
  /** Paths of keys without which the job may run all the same. */
  readonly leaveOut: readonly string[];
  readonly terminal: Pick<Terminal, 'note'>;
}

const PLATFORM = { fedml: 'FedML', skypilot: 'SkyPilot', dstack: 'dstack' } as const;

/** The text of a job file as Ringfence spells it, whoever wrote it. Throws JobFileError; CliError `not-carried` with every key that is missing. */
export function ownSpelling(path: string, text: string, { leaveOut, terminal }: ForeignWishes): string {
  const converted = convertJobFile(text, fallbackName(path));
  if (converted === undefined) return text;
  const isLeftOut = ({ path: key }: LeftOut): boolean =>
    leaveOut.some((wish) => key === wish || key.startsWith(`${wish}.`) || key.startsWith(`${wish}[`));
  const missing = converted.left.filter((left) => left.effect === 'needed' && !isLeftOut(left));
  for (const left of converted.left.filter((key) => !missing.includes(key))) terminal.note(leftOutLine(left));
  if (missing.length > 0)
    throw new CliError(
      'not-carried',
      `this ${PLATFORM[converted.dialect]} file needs what cannot be carried:\n${missing.map(leftOutLine).join('\n')}`,
      { next: `change these keys, or say --leave-out KEY; \`ringfence job convert ${path}\` writes the rest` },
    );
  if (converted.problems.length > 0) throw new JobFileError(converted.problems);
  terminal.note(`a ${PLATFORM[converted.dialect]} file, read as Ringfence’s`);
  return converted.text;
}

/** The name of a job that says none: that of its file, or of its folder when the file is called like all others. */
export function fallbackName(path: string): string {
  const name = basename(path).replace(/(?:\.dstack|\.sky)?\.ya?ml$/, '');
  return /^(?:job|task|service|main|)$/.test(name) ? basename(dirname(resolve(path))) : name;
}

/** A key that was not carried as it is, for people. */
function leftOutLine({ path, line, effect, reason }: LeftOut): string {
  const words = { ignored: 'left out', step: 'to do', needed: 'needed' } as const;
  return `  line ${line}: ${path}: ${words[effect]}: ${reason}`;
}

/** A converted file as `job convert` shows it. */
export function conversionReport({ dialect, left, problems }: Converted): string[] {
  return [
    `from ${PLATFORM[dialect]}:`,
    ...left.map(leftOutLine),
    ...(left.length === 0 ? ['  every key was carried'] : []),
    ...(problems.length === 0 ? [] : ['what is written is no job file yet:', ...problems.map(describeProblem)]),
  ];
}
