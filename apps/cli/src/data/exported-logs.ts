import { isId, jsonOf, type JobId } from '@ringfence/base';
import { attemptLine, logLine } from './exported-line.ts';

/** One attempt of a job. */
export interface Attempt {
  readonly job: JobId;
  readonly attempt: number;
}

/** Of the attempts in the custodian's lines, those whose log it keeps, and those of whose it has none: it stays at the agent, or went by its rule. */
export function exportedLogs(lines: readonly string[]): { kept: readonly Attempt[]; elsewhere: readonly Attempt[] } {
  const of = (schema: typeof attemptLine | typeof logLine): Attempt[] =>
    lines.flatMap((line) => {
      const { data } = schema.safeParse(jsonOf(line));
      return data !== undefined && isId('job', data.job) ? [{ job: data.job, attempt: data.attempt }] : [];
    });
  const kept = of(logLine);
  const here = new Set(kept.map(nameOf));
  return { kept, elsewhere: of(attemptLine).filter((attempt) => !here.has(nameOf(attempt))) };
}

/** How an attempt's log is called among what is withheld. */
export function nameOf({ job, attempt }: Attempt): string {
  return `log of ${job}, attempt ${attempt}`;
}
