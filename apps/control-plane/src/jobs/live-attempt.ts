import type { AgentId, JobId } from '@ringfence/base';
import { freeResources } from '../placement/free-resources.ts';
import { raiseInventory } from '../placement/inventory.ts';
import type { Tx } from '../store/open-store.ts';

/** The attempt of `job` that may run now; at most one exists (unique index). */
export function liveAttempt(tx: Tx, job: JobId): Promise<{ attempt: number; agent: AgentId } | undefined> {
  return tx
    .selectFrom('attempt')
    .select(['attempt', 'agent'])
    .where('job', '=', job)
    .where('live', '=', true)
    .executeTakeFirst();
}

/** Ends the live attempt, if any, and gives back what it reserved. */
export async function endAttempt(tx: Tx, job: JobId): Promise<void> {
  const ended = await tx
    .updateTable('attempt')
    .set({ live: false })
    .where('job', '=', job)
    .where('live', '=', true)
    .returning(['agent', 'org'])
    .executeTakeFirst();
  if (ended === undefined) return;
  await raiseInventory(tx, ended.org);
  const offer = await tx.selectFrom('offer').select('body').where('agent', '=', ended.agent).executeTakeFirst();
  if (offer === undefined) return;
  const free = await freeResources(tx, ended.agent, offer.body);
  await tx
    .updateTable('offer')
    .set((column) => ({ ...free, row_version: column('row_version', '+', 1) }))
    .where('agent', '=', ended.agent)
    .execute();
}
