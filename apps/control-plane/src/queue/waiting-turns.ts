import type { JobId, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import type { ControlPlaneStore } from '../store/open-store.ts';
import { agedPriorityAt } from './aged-priority.ts';

const MOST_AT_ONCE = 500;
/** Of jobs that ask for the same so many are looked at: if none of them finds room, none of the others does. */
const MOST_OF_A_SHAPE = 32;

/** Jobs of one organisation, in the order of its queue. */
type WaitingTurn = readonly [OrgId, readonly JobId[]];

/** Whose queues are looked at (all when absent), when, and how many jobs share a turn. */
interface Look {
  readonly orgs: readonly OrgId[] | undefined;
  readonly now: number;
  readonly mostInTurn: number;
}

/**
 * The jobs that wait and may be tried now, of each shape the first, in the order of their queues: as many as share a turn of an organisation;
 * organisations take turns. `more`: whose queues have others that may be tried.
 */
export async function waitingTurns(
  store: ControlPlaneStore,
  { orgs, now, mostInTurn }: Look,
): Promise<{ readonly turns: readonly WaitingTurn[]; readonly more: ReadonlySet<OrgId> }> {
  const these = orgs === undefined ? sql`true` : sql`org = any(${orgs}::text[])`;
  const { rows } = await store.withSystem('waiting-jobs', (tx) =>
    sql<{ org: OrgId; job: JobId; nth: number }>`
      with queue as (
        select org, job, submitted_at, ${agedPriorityAt(now)} as aged,
          row_number() over (
            partition by org, coalesce(shape, job) order by ${agedPriorityAt(now)} desc, submitted_at, job
          ) as nth
        from job where state = 'queued' and (not_before is null or not_before <= ${now}) and ${these}
      ), first as (
        -- Of as many shapes as possible the first, whatever comes before them in the queue.
        select * from queue where nth <= ${MOST_OF_A_SHAPE} order by nth, aged desc, submitted_at, job limit ${MOST_AT_ONCE}
      )
      select org, job, nth::integer from first order by aged desc, submitted_at, job`.execute(tx),
  );
  const full = rows.length === MOST_AT_ONCE;
  const more = new Set(rows.filter(({ nth }) => full || nth === MOST_OF_A_SHAPE).map(({ org }) => org));
  return { turns: turnsOf(rows, mostInTurn), more };
}

function turnsOf(
  waiting: readonly { readonly org: OrgId; readonly job: JobId }[],
  mostInTurn: number,
): [OrgId, JobId[]][] {
  const turns: [OrgId, JobId[]][] = [];
  const open = new Map<OrgId, JobId[]>();
  for (const { org, job } of waiting) {
    const jobs = open.get(org);
    if (jobs !== undefined && jobs.length < mostInTurn) jobs.push(job);
    else {
      const turn = [job];
      open.set(org, turn);
      turns.push([org, turn]);
    }
  }
  return turns;
}
