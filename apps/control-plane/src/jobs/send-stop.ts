import type { JobId, OrgId } from '@ringfence/base';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { liveAttempt } from './live-attempt.ts';

/** Tells the agent of a job's live attempt to end it; the message waits in the outbox for as long as it takes. */
export async function sendStop(
  context: ControlPlaneContext,
  tx: Tx,
  of: { readonly org: OrgId; readonly job: JobId; readonly graceMs: number },
  reason: 'requested' | 'committed' | 'superseded' | 'drain',
): Promise<void> {
  const attempt = await liveAttempt(tx, of.job);
  if (attempt === undefined) return;
  const body = { job: of.job, attempt: attempt.attempt, graceMs: of.graceMs, reason };
  await enqueue(context, tx, { party: attempt.agent, org: of.org }, { name: 'stop', body });
  await tx
    .updateTable('attempt')
    .set({ stop_sent: true })
    .where('job', '=', of.job)
    .where('attempt', '=', attempt.attempt)
    .execute();
}
