import type { OrgId } from '@ringfence/base';
import type { Tx } from '../store/open-store.ts';

/** Notes that what the organisation's machines can take has changed: jobs that wait for room are looked at again. */
export async function raiseInventory(tx: Tx, org: OrgId): Promise<void> {
  await tx
    .updateTable('organisation')
    .set((column) => ({ inventory: column('inventory', '+', 1) }))
    .where('org', '=', org)
    .execute();
}
