import type { AgentId, OrgId } from '@ringfence/base';
import type { MessageBody } from '@ringfence/protocol/messages';
import { noteConduct } from '../marketplace/note-conduct.ts';
import type { Tx } from '../store/open-store.ts';
import type { AttemptRowState } from '../store/tables.ts';
import { changeJob } from './change-job.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import type { JobEvent } from './job-transitions.ts';
import { endAttempt } from './live-attempt.ts';

/** Order of an attempt's states; a report never moves it back. */
const RANK: Readonly<Record<AttemptRowState, number>> = {
  leased: 0,
  accepted: 1,
  starting: 2,
  running: 3,
  stopped: 4,
  refused: 4,
  expired: 3,
};

/** What an agent says of an attempt that it was leased: moves the attempt, and the job when the attempt is its current one. */
export async function reportAttempt(
  context: ControlPlaneContext,
  tx: Tx,
  from: { org: OrgId; agent: AgentId },
  report: MessageBody<'attempt-status'>,
): Promise<void> {
  const { job, attempt, state, outcome, refusal } = report;
  const row = await tx
    .selectFrom('attempt')
    .select(['state', 'live'])
    .where('job', '=', job)
    .where('attempt', '=', attempt)
    .where('agent', '=', from.agent)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined || RANK[state] <= RANK[row.state]) return;
  await tx
    .updateTable('attempt')
    .set({
      state,
      outcome: outcome ?? null,
      refusal: refusal ?? null,
      ...(state === 'running' ? { running_at: context.clock.now() } : {}),
    })
    .where('job', '=', job)
    .where('attempt', '=', attempt)
    .execute();
  await context.record(tx, from.org, {
    type: 'attempt-changed',
    job,
    attempt,
    state,
    ...(outcome === undefined ? {} : { outcome }),
    ...(refusal === undefined ? {} : { refusal }),
  });
  if (state === 'refused') await noteConduct(context, tx, from, { kind: 'refused', job, refusal });
  if (state === 'running') await noteConduct(context, tx, from, { kind: 'began' });
  if (await isFollowed(tx, { job, attempt, state })) return;
  const moved = await changeJob(context, tx, { org: from.org, job }, eventOf(report));
  // The job is over for another reason, but what this attempt held is free now.
  if (moved || !row.live || (state !== 'stopped' && state !== 'refused')) return;
  await endAttempt(tx, job, context.clock.now());
  await context.changes.wake(tx, 'place', from.org);
}

/** Whether a newer attempt may run; the last word of one that was called lost still counts when those after it were all refused. */
async function isFollowed(
  tx: Tx,
  { job, attempt, state }: Pick<MessageBody<'attempt-status'>, 'job' | 'attempt' | 'state'>,
): Promise<boolean> {
  const newer = await tx
    .selectFrom('attempt')
    .select('state')
    .where('job', '=', job)
    .where('attempt', '>', attempt)
    .execute();
  return newer.some((other) => state !== 'stopped' || other.state !== 'refused');
}

function eventOf({ state, outcome, refusal }: MessageBody<'attempt-status'>): JobEvent {
  if (state === 'refused') return { kind: 'refused', noRoom: refusal === 'capacity' || refusal === 'disk-full' };
  if (state === 'stopped') return { kind: 'stopped', outcome: outcome ?? 'interrupted' };
  return { kind: state };
}
