import type { OrgId } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';

/** Stores a message in the transaction of what it tells of; the organisation's row is locked, so ids are in the order of commits. */
export async function enqueue(tx: Tx, org: OrgId, message: DurablePartyMessage): Promise<void> {
  const { outbox_seq: id } = await tx
    .updateTable('organisation')
    .set({ outbox_seq: sql<number>`outbox_seq + 1` })
    .where('org', '=', org)
    .returning('outbox_seq')
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('outbox')
    .values({ org, id, message: JSON.stringify(message) })
    .execute();
}

/** The stored messages above `after`, in order. */
export async function waitingMessages(
  tx: Tx,
  after: number,
): Promise<readonly { readonly id: number; readonly message: DurablePartyMessage }[]> {
  return tx.selectFrom('outbox').select(['id', 'message']).where('id', '>', after).orderBy('id').limit(100).execute();
}

/** Forgets messages up to `id`: the link's journal has them. */
export async function forgetMessages(tx: Tx, id: number): Promise<void> {
  await tx.deleteFrom('outbox').where('id', '<=', id).execute();
}
