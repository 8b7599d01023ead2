import type { EpochMs, GangId, OfferId, OrgId } from '@ringfence/base';
import { ROOM_CONSTRAINTS, type WaitingReason } from '@ringfence/protocol/statements';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import { holdJobs, WAITING_COLUMNS, type WaitingJob } from '../placement/waiting-job.ts';
import { agedPriorityAt } from './aged-priority.ts';

/** So many jobs that found no room are looked at before any that came after them, and so many of those that ask for the same. */
const MOST_AHEAD = 16;
const MOST_OF_A_SHAPE = 2;
/** Who waits for a document or a price waits for no room, and must not hide those who do. */
const ROOM_REASONS: readonly WaitingReason[] = [...ROOM_CONSTRAINTS, 'held', 'gang-room'];
const LACKS_ROOM = `$[*].constraint ? (${ROOM_REASONS.map((reason) => `@ == "${reason}"`).join(' || ')})`;

/** A machine that is being cleared for a job. */
export interface Nomination extends Pick<WaitingJob, 'job' | 'placement' | 'priority'> {
  readonly offer: OfferId;
}

/** What a turn has to know of the queue beside its own jobs. */
export interface QueueRows {
  /** The first of those that were looked at and found no room. */
  readonly ahead: readonly WaitingJob[];
  /** All queued members that never ran of gangs of which one is in the turn, or ahead of it. */
  readonly members: readonly WaitingJob[];
  readonly nominations: readonly Nomination[];
}

/** Whose queue, for which jobs, and whether those before them stay out of it. */
interface QueueLook {
  readonly org: OrgId;
  readonly due: readonly WaitingJob[];
  readonly now: EpochMs;
  readonly alone: boolean;
}

/** Reads it, and holds the rows that the turn may change. */
export async function queueRows(tx: Tx, { org, due, now, alone }: QueueLook): Promise<QueueRows> {
  const [ahead, nominations] = await Promise.all([alone ? [] : jobsAhead(tx, org, now), openNominations(tx, org, now)]);
  const gangs = new Set([...due, ...ahead].flatMap((job) => (isForming(job) ? [job.gang] : [])));
  return { ahead, nominations, members: gangs.size === 0 ? [] : await membersOf(tx, [...gangs]) };
}

/** Whether a job may start only together with its gang: from then on each member goes on alone. */
export function isForming(job: WaitingJob): job is WaitingJob & { readonly gang: GangId } {
  return job.gang !== null && job.attempts === 0;
}

async function jobsAhead(tx: Tx, org: OrgId, now: EpochMs): Promise<WaitingJob[]> {
  const aged = agedPriorityAt(now);
  const { rows } = await sql<Pick<WaitingJob, 'job'>>`
    with queue as (
      select job, submitted_at, ${aged} as aged,
        row_number() over (partition by coalesce(shape, job) order by ${aged} desc, submitted_at, job) as nth
      from job
      where org = ${org} and state = 'queued' and not_before is null and waiting_for <> '[]' and waiting_for @? ${LACKS_ROOM}::jsonpath
    )
    select job from queue where nth <= ${MOST_OF_A_SHAPE} order by aged desc, submitted_at, job limit ${MOST_AHEAD}`.execute(
    tx,
  );
  if (rows.length === 0) return [];
  return holdJobs(
    tx,
    rows.map(({ job }) => job),
  );
}

function membersOf(tx: Tx, gangs: readonly GangId[]): Promise<WaitingJob[]> {
  return tx
    .selectFrom('job')
    .select(WAITING_COLUMNS)
    .where('gang', '=', sql<GangId>`any(${gangs}::text[])`)
    .where('state', '=', 'queued')
    .where('attempts', '=', 0)
    .orderBy('job')
    .forNoKeyUpdate()
    .execute();
}

function openNominations(tx: Tx, org: OrgId, now: EpochMs): Promise<Nomination[]> {
  return tx
    .selectFrom('nomination')
    .innerJoin('job', 'job.job', 'nomination.job')
    .select(['nomination.job', 'nomination.offer', 'placement', 'priority'])
    .where('nomination.org', '=', org)
    .where('job.state', '=', 'queued')
    .where('until_at', '>', now)
    .execute();
}
