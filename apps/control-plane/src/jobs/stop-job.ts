import type { JobId } from '@ringfence/base';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Caller } from '../http/route.ts';
import { changeJob } from './change-job.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/** Asks for the end of a job: a waiting one is cancelled at once, a running one gets a stop message. Asking again changes nothing. */
export async function stopJob(context: ControlPlaneContext, caller: Caller, job: JobId): Promise<void> {
  await context.store.withOrg(caller.org, async (tx) => {
    const row = await tx.selectFrom('job').select('stopping').where('job', '=', job).forUpdate().executeTakeFirst();
    if (row === undefined)
      throw new ControlPlaneError('not-found', 'there is no such job', { next: 'see `ringfence ps`' });
    if (row.stopping) return;
    await tx.updateTable('job').set({ stopping: true }).where('job', '=', job).execute();
    await context.record(tx, caller.org, { type: 'stop-requested', job, device: caller.device });
    await changeJob(context, tx, { org: caller.org, job }, { kind: 'stop-requested' });
  });
}
