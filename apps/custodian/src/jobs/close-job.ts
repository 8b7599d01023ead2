import type { JobId } from '@ringfence/base';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { shredIfOrdered } from '../shredding/shred-rows.ts';
import { dropCheckpoint } from './checkpoint.ts';

/** Notes that a job is over without a commit, as the control plane says; repeated, it changes nothing. */
export async function closeJob(
  context: Pick<CustodianContext, 'store' | 'record' | 'notices'>,
  claimed: ClaimedOrganisation,
  job: JobId,
  state: 'failed' | 'cancelled',
): Promise<void> {
  await context.store.withOrg(claimed.org, async (tx) => {
    const closed = await tx
      .updateTable('job')
      .set({ closed: state })
      .where('job', '=', job)
      .where('closed', 'is', null)
      .where('commit_record', 'is', null)
      .returning('job')
      .executeTakeFirst();
    if (closed === undefined) return;
    await dropCheckpoint(tx, job);
    await context.notices.note(tx, claimed, job, state === 'failed' ? 'failed' : 'stopped');
    await shredIfOrdered(tx, job);
    await context.record(tx, claimed.org, { type: 'job-closed', job, state });
  });
  context.notices.wake();
}
