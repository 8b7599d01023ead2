import type { EpochMs, GangId, OfferId, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import { WAITING_COLUMNS, type WaitingJob } from '../placement/waiting-job.ts';
import { agedPriorityAt } from './aged-priority.ts';

/** So many jobs that found no room are looked at before any that came after them. */
const MOST_AHEAD = 8;

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

function jobsAhead(tx: Tx, org: OrgId, now: EpochMs): Promise<WaitingJob[]> {
  return tx
    .selectFrom('job')
    .select(WAITING_COLUMNS)
    .where('org', '=', org)
    .where('state', '=', 'queued')
    .where('not_before', 'is', null)
    .where(sql<boolean>`waiting_for <> '[]'`)
    .orderBy(agedPriorityAt(now), 'desc')
    .orderBy('submitted_at')
    .orderBy('job')
    .limit(MOST_AHEAD)
    .forNoKeyUpdate()
    .execute();
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
