import { readStatement } from '@ringfence/keyring';
import type { Tx } from '../store/open-store.ts';
import type { NamedOrder } from './carry-out.ts';

/**
 * Whether a deletion that is dated `at` comes after the end, by this custodian's own records, of each attempt that was granted to the order's agent:
 * the agent's signed `stopped` with its date; without one the commit, or the grant of a later attempt. What may still run, nobody has deleted.
 */
export async function isAfterEnds(tx: Tx, { agent, attempts }: NamedOrder, at: number): Promise<boolean> {
  const rows = await tx
    .selectFrom('attempt')
    .innerJoin('job', 'job.job', 'attempt.job')
    .select(['attempt.job', 'attempt.attempt', 'attempt.agent', 'attempt.granted_at', 'attempt.stopped'])
    .select('job.commit_record')
    .where(
      'attempt.job',
      'in',
      attempts.map(({ job }) => job),
    )
    .execute();
  return attempts.every(({ job, attempt }) => {
    const row = rows.find((granted) => granted.job === job && granted.attempt === attempt);
    if (row?.agent !== agent) return true;
    if (row.stopped !== null) return readStatement('stopped', row.stopped).claimed.at <= at;
    const later = rows.filter((granted) => granted.job === job && granted.attempt > attempt);
    const ends = later.map(({ granted_at }) => granted_at);
    if (row.commit_record !== null) ends.push(readStatement('commit', row.commit_record).claimed.at);
    return ends.some((end) => end <= at);
  });
}
