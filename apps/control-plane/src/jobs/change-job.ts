import type { JobId, OrgId } from '@ringfence/base';
import type { JobType, RetryReason } from '@ringfence/protocol';
import type { ControlPlaneContext } from './control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { enqueueToCustodian } from '../links/outbox.ts';
import { stepJob, type JobCommand, type JobEvent, type JobFacts } from './job-transitions.ts';
import { delayNext } from './delay-next.ts';
import { endAttempt } from './live-attempt.ts';
import { sendStop } from './send-stop.ts';

const DEFAULT_GRACE_MS = 10_000;

/** A job, how long its attempt has to end by itself if it is told to, and what the next one waits for if it waits. */
interface ChangedJob {
  readonly org: OrgId;
  readonly job: JobId;
  readonly graceMs: number;
  readonly cause: RetryReason | undefined;
}

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
  const facts = await jobFacts(tx, of.job);
  return facts === undefined ? false : changeKnownJob(context, tx, { ...of, facts }, event);
}

/** The same for a job whose facts the caller has; what it asks of the database leaves at once, after what was asked before. */
export async function changeKnownJob(
  context: ControlPlaneContext,
  tx: Tx,
  of: { org: OrgId; job: JobId; facts: JobFacts },
  event: JobEvent,
): Promise<boolean> {
  const { facts: job, ...changed } = of;
  const step = stepJob(job, event);
  if (step === undefined) return false;
  if (step.state !== job.state) {
    await tx
      .updateTable('job')
      .set({ state: step.state, changed_at: context.clock.now() })
      .where('job', '=', of.job)
      .execute();
    await context.record(tx, of.org, { type: 'job-changed', job: of.job, from: job.state, to: step.state });
  }
  const graceMs = 'graceMs' in event ? event.graceMs : DEFAULT_GRACE_MS;
  for (const command of step.commands) await obey(context, tx, { ...changed, graceMs, cause: step.cause }, command);
  return true;
}

async function jobFacts(tx: Tx, job: JobId): Promise<JobFacts | undefined> {
  const row = await tx
    .selectFrom('job')
    .leftJoin('attempt', (join) => join.onRef('attempt.job', '=', 'job.job').on('attempt.live', '=', true))
    .select(['job.type', 'job.state', 'attempts', 'max_attempts', 'placement', 'stopping', 'wanted'])
    .select(['attempt.live', 'stop_sent'])
    .select((query) =>
      query
        .selectFrom('attempt as earlier')
        .select('earlier.outcome')
        .whereRef('earlier.job', '=', 'job.job')
        .whereRef('earlier.attempt', '<', 'job.attempts')
        .where('earlier.state', '!=', 'refused')
        .orderBy('earlier.attempt', 'desc')
        .limit(1)
        .as('earlier_word'),
    )
    .where('job.job', '=', job)
    .forNoKeyUpdate('job')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { state, attempts, stopping, wanted } = row;
  return {
    // Checked when the job was submitted.
    type: row.type as JobType,
    state,
    attempts,
    maxAttempts: row.max_attempts,
    retryOn: row.placement.retryOn ?? [],
    stopping,
    wanted,
    attemptLives: row.live === true,
    stopSent: row.stop_sent === true,
    earlierWord: row.earlier_word ?? undefined,
  };
}

async function obey(context: ControlPlaneContext, tx: Tx, of: ChangedJob, command: JobCommand): Promise<void> {
  switch (command) {
    case 'end-attempt':
      await endAttempt(tx, of.job, context.clock.now());
      // What it held is room for those that wait.
      return context.changes.wake(tx, 'place', of.org);
    case 'send-stop':
      return sendStop(context, tx, of, 'requested');
    case 'send-stop-committed':
      return sendStop(context, tx, of, 'committed');
    case 'send-stop-superseded':
      return sendStop(context, tx, of, 'superseded');
    case 'note-wanted':
      return noteWish(tx, of, true);
    case 'note-unwanted':
      return noteWish(tx, of, false);
    case 'tell-failed':
      return tellCustodian(context, tx, of, 'failed');
    case 'tell-cancelled':
      return tellCustodian(context, tx, of, 'cancelled');
    case 'back-off':
      return delayNext(context, tx, of);
    case 'place':
      return context.changes.wake(tx, 'place', `${of.org} ${of.job}`);
    default:
      return command satisfies never;
  }
}

async function noteWish(tx: Tx, { job }: ChangedJob, wanted: boolean): Promise<void> {
  await tx.updateTable('job').set({ wanted }).where('job', '=', job).execute();
}

async function tellCustodian(
  context: ControlPlaneContext,
  tx: Tx,
  of: { org: OrgId; job: JobId },
  state: 'failed' | 'cancelled',
): Promise<void> {
  await enqueueToCustodian(context, tx, of.org, { name: 'job-closed', body: { job: of.job, state } });
}
