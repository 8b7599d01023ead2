import type { JobId, OrgId } from '@ringfence/base';
import type { ControlPlaneContext } from './control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { enqueue } from '../links/outbox.ts';
import { stepJob, type JobEvent } from './job-transitions.ts';
import { endAttempt, liveAttempt } from './live-attempt.ts';

/** Channel that wakes whoever places. */
export const PLACE_CHANNEL = 'place';

/** The columns of a job that a transition reads. */
const FACTS = ['state', 'attempts', 'max_attempts', 'stopping', 'placement'] as const;

/**
 * Applies one event to a job, with everything that follows, in the caller's transaction: state, reservation, ledger, messages. False when
 * the event does not concern the job as it is now.
 */
export async function changeJob(
  context: ControlPlaneContext,
  tx: Tx,
  of: { org: OrgId; job: JobId },
  event: JobEvent,
): Promise<boolean> {
  const job = await tx.selectFrom('job').select(FACTS).where('job', '=', of.job).forUpdate().executeTakeFirst();
  if (job === undefined) return false;
  const step = stepJob(
    { state: job.state, attempts: job.attempts, maxAttempts: job.max_attempts, stopping: job.stopping },
    event,
  );
  if (step === undefined) return false;
  if (step.state !== job.state) {
    await tx
      .updateTable('job')
      .set({ state: step.state, changed_at: context.clock.now() })
      .where('job', '=', of.job)
      .execute();
    await context.record(tx, of.org, { type: 'job-changed', job: of.job, from: job.state, to: step.state });
  }
  for (const command of step.commands) {
    if (command === 'end-attempt') await endAttempt(tx, of.job);
    if (command === 'send-stop') await sendStop(context, tx, of);
    if (command === 'tell-custodian')
      await tellCustodian(context, tx, of, step.state === 'cancelled' ? 'cancelled' : 'failed');
    if (command === 'place') await context.store.notify(tx, PLACE_CHANNEL);
  }
  return true;
}

const DEFAULT_GRACE_MS = 10_000;

async function sendStop(context: ControlPlaneContext, tx: Tx, of: { org: OrgId; job: JobId }): Promise<void> {
  const attempt = await liveAttempt(tx, of.job);
  if (attempt === undefined) return;
  const body = { job: of.job, attempt: attempt.attempt, graceMs: DEFAULT_GRACE_MS, reason: 'requested' as const };
  await enqueue(context.store, tx, { party: attempt.agent, org: of.org }, { name: 'stop', body });
}

async function tellCustodian(
  context: ControlPlaneContext,
  tx: Tx,
  of: { org: OrgId; job: JobId },
  state: 'failed' | 'cancelled',
): Promise<void> {
  const { custodian } = await tx
    .selectFrom('organisation')
    .select('custodian')
    .where('org', '=', of.org)
    .executeTakeFirstOrThrow();
  await enqueue(
    context.store,
    tx,
    { party: custodian, org: of.org },
    { name: 'job-closed', body: { job: of.job, state } },
  );
}
