import type { AgentId, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';

/** Notes that what the organisation's machines can take has changed: jobs that wait for room are looked at again. */
export async function raiseInventory(tx: Tx, org: OrgId): Promise<void> {
  await tx
    .updateTable('organisation')
    .set((column) => ({ inventory: column('inventory', '+', 1) }))
    .where('org', '=', org)
    .execute();
}

/** What placement knows of the offers of an agent, or at sites, is another than their rows say alone: it reads a row again when its version says so. */
export async function readOffersAgain(
  tx: Tx,
  of: { readonly agent: AgentId } | { readonly sites: readonly string[] },
): Promise<void> {
  const raised = tx.updateTable('offer').set((column) => ({ row_version: column('row_version', '+', 1) }));
  const these =
    'agent' in of
      ? raised.where('agent', '=', of.agent)
      : raised.where(sql<boolean>`body ->> 'site' = any(${of.sites}::text[])`);
  await these.execute();
}
