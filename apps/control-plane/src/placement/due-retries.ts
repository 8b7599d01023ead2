import type { JobId, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { dueAt } from './back-off-end.ts';

/** Jobs that backed off and may be tried now: their time has come, or the inventory for which they wait has changed. */
export function dueRetries(context: ControlPlaneContext): Promise<readonly { org: OrgId; job: JobId }[]> {
  const { past, impossible } = dueAt(context.clock.now());
  return context.store.withSystem(
    'due-retries',
    (tx) =>
      tx
        .selectFrom('job')
        .innerJoin('organisation', 'organisation.org', 'job.org')
        .select(['job.org', 'job.job'])
        .where('state', '=', 'queued')
        .where('not_before', 'is not', null)
        .where((has) =>
          has.or([
            has('not_before', '<=', past),
            has('not_before', '>=', impossible),
            has.and([has('retry_reason', '=', 'no-capacity'), has('inventory', '>', has.ref('inventory_seen'))]),
          ]),
        )
        // One whose jobs cannot be dealt with would else fill every round.
        .orderBy(sql`row_number() over (partition by job.org order by not_before)`)
        .limit(500)
        .execute(),
    { readOnly: true },
  );
}
