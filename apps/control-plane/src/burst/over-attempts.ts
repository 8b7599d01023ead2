import type { JobId, MonotonicMs } from '@ringfence/base';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '../jobs/clock-terms.ts';
import { watchLeases, type SeenLeases } from '../jobs/silent-leases.ts';
import type { Tx } from '../store/open-store.ts';
import type { OpenPool } from './open-pool.ts';

/** An attempt of which nothing runs any more. */
export interface OverAttempt {
  readonly job: JobId;
  readonly attempt: number;
  readonly away: boolean;
}

/**
 * Attempts that are known to be over: their agents said so, or nobody has held their lease for as long as one lasts, as this process watched by its
 * monotonic clock. Takes and gives what it has seen so far.
 */
export async function overAttempts(
  tx: Tx,
  { org }: Pick<OpenPool, 'org'>,
  { seen, now }: { readonly seen: SeenLeases; readonly now: MonotonicMs },
): Promise<{ readonly over: readonly OverAttempt[]; readonly seen: SeenLeases }> {
  const rows = await tx
    .selectFrom('pool_attempt')
    .innerJoin('attempt', (join) =>
      join.onRef('attempt.job', '=', 'pool_attempt.job').onRef('attempt.attempt', '=', 'pool_attempt.attempt'),
    )
    .select(['pool_attempt.job', 'pool_attempt.attempt', 'away', 'attempt.state', 'renewals'])
    .where('ended_at', 'is', null)
    .where((has) => has.or([has('live', '=', false), has('attempt.state', 'in', ['stopped', 'refused'])]))
    .execute();
  const said = rows.filter(({ state }) => state === 'stopped' || state === 'refused');
  const silentSince = rows.filter((row) => !said.includes(row)).map((row) => ({ ...row, org }));
  const watched = watchLeases(seen, silentSince, { now, silence: LEASE_TTL_MS + LEASE_GRACE_MS });
  const silent = new Set(watched.silent.map(({ job, attempt }) => `${job} ${attempt}`));
  const over = [...said, ...silentSince.filter(({ job, attempt }) => silent.has(`${job} ${attempt}`))];
  return { over: over.map(({ job, attempt, away }) => ({ job, attempt, away })), seen: watched.seen };
}

/** Notes of attempts at home that they are over: for the cost report alone. */
export async function endAtHome(tx: Tx, over: readonly OverAttempt[], now: number): Promise<void> {
  for (const { job, attempt, away } of over)
    if (!away)
      await tx
        .updateTable('pool_attempt')
        .set({ ended_at: now })
        .where('job', '=', job)
        .where('attempt', '=', attempt)
        .where('ended_at', 'is', null)
        .execute();
}
