import type { JobId, OrgId } from '@ringfence/base';
import type { Tx } from '../store/open-store.ts';

/** Whether the data keys of an attempt are destroyed: nothing is granted for it any more. */
export async function isShredded(tx: Tx, job: JobId, attempt: number): Promise<boolean> {
  const row = await tx
    .selectFrom('shredded_attempt')
    .select('at')
    .where('job', '=', job)
    .where('attempt', '=', attempt)
    .executeTakeFirst();
  return row !== undefined;
}

/** Destroys the sealed grant of one attempt that is over, and notes that; again, it changes nothing. The job's row is locked by `tx`. */
export async function shredAttempt(
  tx: Tx,
  of: { readonly org: OrgId; readonly job: JobId; readonly attempt: number; readonly at: number },
): Promise<void> {
  await tx
    .insertInto('shredded_attempt')
    .values(of)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await tx
    .updateTable('attempt')
    .set({ payload: null })
    .where('job', '=', of.job)
    .where('attempt', '=', of.attempt)
    .execute();
}

/** Destroys what opens the code of a job that is over: its workload, and the grants of all its attempts. The job's row is locked by `tx`. */
export async function shredEndedJob(tx: Tx, job: JobId): Promise<void> {
  await tx.updateTable('job').set({ workload: null }).where('job', '=', job).execute();
  await tx.updateTable('attempt').set({ payload: null }).where('job', '=', job).execute();
}

/** A job ends in `tx`: if it was away from home and its machine was given back, nothing is to open its code any more. */
export async function shredIfOrdered(tx: Tx, job: JobId): Promise<void> {
  // One that was never granted says nothing of the job: no machine away from home had it.
  const row = await tx
    .selectFrom('shredded_attempt')
    .innerJoin('attempt', (join) =>
      join.onRef('attempt.job', '=', 'shredded_attempt.job').onRef('attempt.attempt', '=', 'shredded_attempt.attempt'),
    )
    .select('shredded_attempt.at')
    .where('shredded_attempt.job', '=', job)
    .limit(1)
    .executeTakeFirst();
  if (row !== undefined) await shredEndedJob(tx, job);
}
