import type { JobId, OrgId } from '@ringfence/base';
import type { StopCause } from '@ringfence/protocol/api';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { liveAttempt } from './live-attempt.ts';

/** Tells the agent of a job's live attempt to end it, and keeps why; the message waits in the outbox for as long as it takes. */
export async function sendStop(
  context: ControlPlaneContext,
  tx: Tx,
  of: { readonly org: OrgId; readonly job: JobId; readonly graceMs: number },
  cause: StopCause,
): Promise<void> {
  const attempt = await liveAttempt(tx, of.job);
  if (attempt === undefined) return;
  // To its agent all three are the same: it was interrupted, and may be tried elsewhere.
  const reason = cause === 'evidence' || cause === 'admission' || cause === 'preempted' ? 'drain' : cause;
  const body = { job: of.job, attempt: attempt.attempt, graceMs: of.graceMs, reason };
  await enqueue(context, tx, { party: attempt.agent, org: of.org }, { name: 'stop', body });
  await tx
    .updateTable('attempt')
    .set({ stop_sent: true, stop_cause: cause, stop_grace_ms: of.graceMs })
    .where('job', '=', of.job)
    .where('attempt', '=', attempt.attempt)
    .execute();
}
