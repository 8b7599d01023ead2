import { isId, type JobId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import type { Session } from '../session.ts';

/** The job that a word names: its id, or the newest job of that name. Throws CliError `not-found`. */
export async function whichJob({ custodian }: Session, word: string): Promise<JobId> {
  if (isId('job', word)) return word;
  const named = (await custodian.jobs()).filter(({ name }) => name === word).toSorted((a, b) => b.at - a.at);
  const [newest] = named;
  if (newest === undefined) throw new CliError('not-found', 'there is no such job', { next: 'see `ringfence ps`' });
  return newest.job;
}
