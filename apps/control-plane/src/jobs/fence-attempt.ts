import type { JobId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Caller } from '../http/route.ts';
import { changeJob } from './change-job.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { noSuchJob } from './job-view.ts';
import { verifyStatement } from './verified-statement.ts';

/**
 * Gives up the live attempt of a job whose agent cannot be asked, on the calling device's signed word; the next one may be leased. Whether the
 * device is an officer's, the custodian decides: without its word the next attempt is not granted. Of an attempt that is over it changes nothing.
 * Throws ControlPlaneError `bad-statement`, `conflict`, `not-found`.
 */
export async function fenceAttempt(
  context: ControlPlaneContext,
  caller: Caller,
  { job, fence: envelope }: { readonly job: JobId; readonly fence: Envelope },
): Promise<void> {
  const { org, device } = caller;
  await context.changes.run(org, async (tx) => {
    const { sign_key } = await tx
      .selectFrom('party')
      .select('sign_key')
      .where('id', '=', device)
      .executeTakeFirstOrThrow();
    const fence = verifyStatement('fence', envelope, sign_key);
    const { body } = fence;
    if (body.org !== org || body.device !== device || body.job !== job)
      throw new ControlPlaneError('bad-statement', 'the fence names another organisation, device or job');
    const row = await tx.selectFrom('job').select('attempts').where('job', '=', job).executeTakeFirst();
    if (row === undefined) throw noSuchJob();
    // A higher attempt exists only when this one is over: the fence came before, and its answer was lost.
    if (body.attempt < row.attempts) return;
    if (body.attempt !== row.attempts)
      throw new ControlPlaneError('conflict', 'the fence is not about the newest attempt', {
        next: 'look at it with `ringfence status` and fence again',
      });
    if (!(await changeJob(context, tx, { org, job }, { kind: 'fenced' }))) return;
    await tx
      .updateTable('attempt')
      .set({ state: 'expired' })
      .where('job', '=', job)
      .where('attempt', '=', body.attempt)
      .execute();
    await context.record(tx, org, {
      type: 'attempt-fenced',
      job,
      attempt: body.attempt,
      device,
      fenceDigest: fence.digest,
    });
    context.fault('fence-before-commit');
  });
  context.fault('fence-after-commit');
}
