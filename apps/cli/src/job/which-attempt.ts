import type { JobView } from '@ringfence/protocol/api';
import { CliError } from '../cli-error.ts';

/** One attempt of a job: the last, or the one that `wanted` numbers. Throws CliError `not-found`, which says why there is none yet. */
export function whichAttempt(view: JobView, wanted: string | undefined): JobView['attempts'][number] {
  const { attempts, state, job } = view;
  const chosen = wanted === undefined ? attempts.at(-1) : attempts.find(({ attempt }) => String(attempt) === wanted);
  if (chosen !== undefined) return chosen;
  const next = `see \`ringfence status ${job}\``;
  if (wanted !== undefined && attempts.length > 0)
    throw new CliError('not-found', 'the job has no such attempt', { next });
  if (state !== 'queued') throw new CliError('not-found', `the job is ${state} and was never started`, { next });
  throw new CliError('not-found', `the job is queued, no server has started it: ${waitingText(view)}`, { next });
}

/** What a queued job waits for. */
export function waitingText({ waitingFor }: Pick<JobView, 'waitingFor'>): string {
  if (waitingFor.length === 0) return 'it waits for a place';
  return `no server can take it (${waitingFor.map(({ constraint, count }) => `${count} ${count === 1 ? 'refuses' : 'refuse'} it for ${constraint}`).join(', ')})`;
}
