import type { JobId } from '@ringfence/base';
import type { AnyAsker } from '../http/route.ts';
import { wishedBy } from '../http/wished-by.ts';
import { changeJob } from './change-job.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { noSuchJob } from './job-view.ts';

/** Asks for the end of a job: a waiting one is cancelled at once, a running one gets a stop message. Asking again, or of a job that is over, changes nothing. */
export async function stopJob(
  context: ControlPlaneContext,
  caller: AnyAsker,
  { job, graceMs }: { job: JobId; graceMs: number },
): Promise<void> {
  await context.changes.run(caller.org, async (tx) => {
    const row = await tx.selectFrom('job').select('stopping').where('job', '=', job).executeTakeFirst();
    if (row === undefined) throw noSuchJob();
    if (row.stopping) return;
    const event = { kind: 'stop-requested', graceMs } as const;
    if (!(await changeJob(context, tx, { org: caller.org, job }, event))) return;
    await tx.updateTable('job').set({ stopping: true }).where('job', '=', job).execute();
    await context.record(tx, caller.org, { type: 'stop-requested', job, asker: wishedBy(caller) });
  });
}
