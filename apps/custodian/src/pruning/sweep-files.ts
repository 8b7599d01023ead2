import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';

/**
 * Removes the files whose rows are gone, each under the lock of its mark, so that an upload of the same bytes either finds the file or brings
 * it. Ended by a crash it goes on at the next start. Does nothing while a backup reads.
 */
export async function sweepFiles(context: CustodianContext, { org }: ClaimedOrganisation): Promise<number> {
  const { store, objects } = context;
  const doomed = await store.withOrg(org, (tx) => tx.selectFrom('doomed_object').select('digest').execute());
  let removed = 0;
  for (const { digest } of doomed) {
    if (objects.isHeld) break;
    await store.withOrg(org, async (tx) => {
      const mark = await tx
        .deleteFrom('doomed_object')
        .where('digest', '=', digest)
        .returning('digest')
        .executeTakeFirst();
      const again = await tx.selectFrom('object').select('digest').where('digest', '=', digest).executeTakeFirst();
      if (mark === undefined || again !== undefined) return;
      await objects.remove(digest);
      removed += 1;
    });
  }
  return removed;
}
