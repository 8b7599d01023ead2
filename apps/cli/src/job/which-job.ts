import { isId, type JobId } from '@ringfence/base';
import type { EndpointRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Session } from '../session.ts';

/**
 * The job that a word names: its id, or the newest job of that name. Throws CliError `not-found` with the nearest name, also of `endpoints` where the
 * word was looked for among those before.
 */
export async function whichJob(
  { custodian }: { readonly custodian: Pick<Session['custodian'], 'jobs'> },
  word: string,
  endpoints?: readonly string[],
): Promise<JobId> {
  if (isId('job', word)) return word;
  const jobs = await custodian.jobs();
  const [newest] = jobs.filter(({ name }) => name === word).toSorted((a, b) => b.at - a.at);
  if (newest !== undefined) return newest.job;
  const known = [...jobs.map(({ name }) => name), ...(endpoints ?? [])];
  const [what, where] =
    endpoints === undefined
      ? ['no job', 'see `ringfence ps`']
      : ['no job and no endpoint', 'see `ringfence ps` and `ringfence endpoint ls`'];
  throw new CliError('not-found', `${what} is called ${word}`, { next: didYouMean(word, known, where) });
}

/**
 * The job whose log, metrics or sandbox a word means: that of {@link whichJob}, or another replica of the same endpoint while that one rests. Throws
 * CliError `not-found`.
 */
export async function whichRunning(session: Session, word: string): Promise<JobId> {
  const newest = await whichJob(session, word);
  if (isId('job', word)) return newest;
  const { endpoints } = await session.custodian.endpoints();
  const row = endpoints.find(({ replicas }) => replicas.some(({ job }) => job === newest));
  return row === undefined ? newest : replicaToRead(row.replicas, newest);
}

/** Of an endpoint's replicas the one to look at: one that is ready, else one that is to run, else `newest`. */
export function replicaToRead(replicas: EndpointRow['replicas'], newest: JobId): JobId {
  const chosen = replicas.find(({ state }) => state === 'ready') ?? replicas.find(({ state }) => state === 'wanted');
  return chosen?.job ?? newest;
}
