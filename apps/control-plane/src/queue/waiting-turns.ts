import type { JobId, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import type { ControlPlaneStore } from '../store/open-store.ts';
import { agedPriorityAt } from './aged-priority.ts';

/** Of jobs that ask for the same so many are looked at: if none of them finds room, none of the others does. */
const MOST_OF_A_SHAPE = 32;

/** Whose queue is looked at, when, and how many jobs share a turn. */
interface Look {
  readonly org: OrgId;
  readonly now: number;
  readonly mostInTurn: number;
}

/** What a look at the queue of one organisation found. */
export interface WaitingTurns {
  readonly turns: readonly (readonly JobId[])[];
  /** Others of their kind wait, which are not in `turns`. */
  readonly more: boolean;
}

/** Organisations with jobs that wait, in the order of their ids. */
export async function waitingOrgs(store: ControlPlaneStore): Promise<readonly OrgId[]> {
  const { rows } = await store.withSystem(
    'waiting-jobs',
    (tx) =>
      // From one organisation to the next by the index, however many jobs each has.
      sql<{ org: OrgId }>`
        with recursive waiting as (
          (select org from job where state = 'queued' order by org limit 1)
          union all
          select (select min(job.org) from job where state = 'queued' and job.org > waiting.org)
          from waiting where org is not null
        )
        select org from waiting where org is not null`.execute(tx),
    { readOnly: true },
  );
  return rows.map(({ org }) => org);
}

/**
 * The jobs of one organisation that wait and may be tried now, of each shape the first, in the order of its queue, as many as share a turn. How
 * many wait at all is bounded when they are submitted.
 */
export async function waitingTurns(store: ControlPlaneStore, { org, now, mostInTurn }: Look): Promise<WaitingTurns> {
  const { rows } = await store.withSystem('waiting-jobs', (tx) =>
    sql<{ job: JobId; nth: number }>`
      with queue as (
        select job, submitted_at, ${agedPriorityAt(now)} as aged,
          row_number() over (
            partition by coalesce(shape, job) order by ${agedPriorityAt(now)} desc, submitted_at, job
          ) as nth
        from job where org = ${org} and state = 'queued' and (not_before is null or not_before <= ${now})
      )
      select job, nth::integer from queue where nth <= ${MOST_OF_A_SHAPE} order by aged desc, submitted_at, job`.execute(
      tx,
    ),
  );
  const more = rows.some(({ nth }) => nth === MOST_OF_A_SHAPE);
  const turns: JobId[][] = [];
  for (let from = 0; from < rows.length; from += mostInTurn)
    turns.push(rows.slice(from, from + mostInTurn).map(({ job }) => job));
  return { turns, more };
}
