import type { EpochMs, JobId } from '@ringfence/base';
import { signedWishes, type PlacementRequest } from '@ringfence/policy/placement';
import { sql, type Selectable } from 'kysely';
import { storedStatement } from '../jobs/verified-statement.ts';
import { spotUnderDeadline } from '../spot/spot-under-deadline.ts';
import type { Tx } from '../store/open-store.ts';
import type { JobTable } from '../store/tables.ts';

/** What placement reads of a job. */
export type WaitingJob = Pick<Selectable<JobTable>, (typeof WAITING_COLUMNS)[number]>;

/** Columns of {@link WaitingJob}. */
export const WAITING_COLUMNS = [
  'job',
  'type',
  'state',
  'attempts',
  'max_attempts',
  'stopping',
  'wanted',
  'job_digest',
  'job_envelope',
  'label_envelope',
  'placement',
  'waiting_for',
  'not_before',
  'retry_reason',
  'inventory_seen',
  'priority',
  'submitted_at',
  'gang',
] as const;

/** The rows of these jobs in the order of `jobs`, which nobody else changes before the transaction ends. */
export async function holdJobs(tx: Tx, jobs: readonly JobId[]): Promise<WaitingJob[]> {
  const these = sql<JobId>`any(${jobs}::text[])`;
  const rows = await tx.selectFrom('job').select(WAITING_COLUMNS).where('job', '=', these).forNoKeyUpdate().execute();
  const byId = new Map(rows.map((row) => [row.job, row]));
  return jobs.flatMap((id) => byId.get(id) ?? []);
}

/** What the placer is asked for a job. */
export function requestOf(
  { placement, label_envelope }: Pick<WaitingJob, 'placement' | 'label_envelope'>,
  now: EpochMs,
): PlacementRequest {
  const label = storedStatement('label', label_envelope);
  return spotUnderDeadline({ placement, label, wishes: signedWishes(placement), now });
}
