import type { JobId } from '@ringfence/base';
import type { Tx } from '../store/open-store.ts';

/** Whether a job is the replica of a revision that is over: a control plane could go on leasing it (invariant 4). */
export async function isOver(tx: Tx, job: JobId): Promise<boolean> {
  const over = await tx
    .selectFrom('endpoint_slot as slot')
    .innerJoin('endpoint_revision as revision', (join) =>
      join.onRef('revision.endpoint', '=', 'slot.endpoint').onRef('revision.revision', '=', 'slot.revision'),
    )
    .select('slot.job')
    .where('slot.job', '=', job)
    .where('revision.state', 'in', ['going', 'gone'])
    .executeTakeFirst();
  return over !== undefined;
}
