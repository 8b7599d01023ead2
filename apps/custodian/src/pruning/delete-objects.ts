import type { Digest } from '@ringfence/crypto/sign';
import { sql } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { Tx } from '../store/open-store.ts';

/**
 * Deletes the rows of objects that were neither stored nor relied on since `before`, with the wrapped keys of their chunks, and marks their
 * files. Whoever relies on an object writes that down in its row, and the row is read again here: what was relied on meanwhile stays.
 */
export async function deleteObjects(
  tx: Tx,
  { org }: ClaimedOrganisation,
  digests: readonly Digest[],
  before: number,
): Promise<readonly { readonly digest: Digest; readonly size: number }[]> {
  if (digests.length === 0) return [];
  const gone = await tx
    .deleteFrom('object')
    .where('digest', '=', sql<Digest>`any(${[...digests]})`)
    .where('stored_at', '<', before)
    .where('used_at', '<', before)
    .returning(['digest', 'size'])
    .execute();
  if (gone.length === 0) return [];
  const names = gone.map(({ digest }) => digest);
  await tx
    .deleteFrom('chunk')
    .where('digest', '=', sql<Digest>`any(${names})`)
    .execute();
  await tx
    .insertInto('doomed_object')
    .values(names.map((digest) => ({ digest, org })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return gone;
}
