import type { Clock, JobId } from '@ringfence/base';
import type { Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { LeaseEnds } from '../jobs/attempt-end.ts';
import type { RecordEvent } from '../ledger/record-event.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import type { ShredOrderTable } from '../store/shredding-tables.ts';
import { shredAttempt, shredEndedJob } from './shred-rows.ts';

type ShredOrder = Selectable<ShredOrderTable>;

/** What carrying an order out works with. */
export interface ShredContext {
  readonly clock: Clock;
  readonly leaseEnds: LeaseEnds;
  readonly record: RecordEvent;
}

/**
 * Destroys the keys of an order's attempts, each that can run no more; once that is all of them, writes it down, answers and forgets the order.
 * False while one may still run.
 */
export async function carryOut(
  context: ShredContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  order: ShredOrder,
): Promise<boolean> {
  const { request, agent, deletion } = order;
  const attempts = order.attempts.map(({ job, attempt }) => ({ job, attempt }));
  let done = true;
  // In one order, since each job's row is locked until the end.
  for (const job of [...new Set(attempts.map((named) => named.job))].toSorted()) {
    const numbers = attempts.filter((named) => named.job === job).map(({ attempt }) => attempt);
    done = (await shredJob(context, tx, { org, job, numbers })) && done;
  }
  if (!done) return false;
  await tx.deleteFrom('shred_order').where('request', '=', request).where('deletion', '=', deletion).execute();
  await context.record(tx, org, { type: 'keys-shredded', request, agent, attempts, deletion });
  await enqueue(tx, org, { name: 'keys-shredded', body: { request, attempts } });
  return true;
}

async function shredJob(
  { clock, leaseEnds }: ShredContext,
  tx: Tx,
  { org, job: id, numbers }: { org: ShredOrder['org']; job: JobId; numbers: readonly number[] },
): Promise<boolean> {
  const job = await tx
    .selectFrom('job')
    .select(['attempt', 'closed', 'commit_record'])
    .where('job', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  // Never deposited here: there is no key of it.
  if (job === undefined) return true;
  const isOver = job.closed !== null || job.commit_record !== null;
  const current = await tx
    .selectFrom('attempt')
    .select(['job', 'attempt', 'granted_at', 'stopped', 'ends_by'])
    .where('job', '=', id)
    .where('attempt', '=', job.attempt)
    .executeTakeFirst();
  const mayRun = !isOver && current !== undefined && leaseEnds.mayRun(current) ? current.attempt : undefined;
  for (const attempt of numbers)
    if (attempt !== mayRun) await shredAttempt(tx, { org, job: id, attempt, at: clock.now() });
  if (isOver) await shredEndedJob(tx, id);
  return mayRun === undefined || !numbers.includes(mayRun);
}
