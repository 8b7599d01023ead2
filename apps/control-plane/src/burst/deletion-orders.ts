import { newId, type AgentId, type OfferId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { MOST_DELETED, type NamedAttempt } from '@ringfence/protocol/statements';
import type { Selectable } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import type { OpenPool } from './open-pool.ts';
import type { DeletionOrderTable } from './pool-tables.ts';

/** An order to delete data and destroy keys, and what was answered. */
export type DeletionOrder = Selectable<DeletionOrderTable>;

/** Writes new orders for all attempts whose data is at `offer`, as many as messages take; those before count no more. */
export async function orderDeletion(
  { rng, clock }: Pick<ControlPlaneContext, 'rng' | 'clock'>,
  tx: Tx,
  { org }: OpenPool,
  { offer, agent }: { readonly offer: OfferId; readonly agent: AgentId },
): Promise<void> {
  await closeOrders(tx, offer);
  const attempts = await tx
    .selectFrom('pool_attempt')
    .select(['job', 'attempt'])
    .where('offer', '=', offer)
    .where('away', '=', true)
    .where('given_back', '=', false)
    .orderBy('job')
    .orderBy('attempt')
    .execute();
  const asked_at = clock.now();
  const rows = chunks(attempts).map((some) => {
    const request = newId('deletion', rng);
    return { request, org, offer, agent, attempts: JSON.stringify(some), asked_at, ...UNANSWERED };
  });
  if (rows.length > 0) await tx.insertInto('deletion_order').values(rows).execute();
}

const UNANSWERED = { deletion: null, deletion_digest: null };

function chunks(attempts: readonly NamedAttempt[]): NamedAttempt[][] {
  const count = Math.ceil(attempts.length / MOST_DELETED);
  return Array.from({ length: count }, (_, at) => attempts.slice(at * MOST_DELETED, (at + 1) * MOST_DELETED));
}

/** The orders on whose answers giving `offer` back waits. */
export function openOrders(tx: Tx, offer: OfferId): Promise<DeletionOrder[]> {
  return tx
    .selectFrom('deletion_order')
    .selectAll()
    .where('offer', '=', offer)
    .where('open', '=', true)
    .orderBy('request')
    .execute();
}

/** The order of this id, if it is one of the organisation's. */
export function findOrder(tx: Tx, request: DeletionOrder['request']): Promise<DeletionOrder | undefined> {
  return tx.selectFrom('deletion_order').selectAll().where('request', '=', request).executeTakeFirst();
}

/** What was answered after this is kept, and changes nothing any more. */
export async function closeOrders(tx: Tx, offer: OfferId): Promise<void> {
  await tx
    .updateTable('deletion_order')
    .set({ open: false })
    .where('offer', '=', offer)
    .where('open', '=', true)
    .execute();
}

/** Keeps an agent's signed deletion. */
export async function keepDeletion(
  tx: Tx,
  request: DeletionOrder['request'],
  { envelope, digest }: { readonly envelope: Envelope; readonly digest: Digest },
): Promise<void> {
  await tx
    .updateTable('deletion_order')
    .set({ deletion: JSON.stringify(envelope), deletion_digest: digest })
    .where('request', '=', request)
    .execute();
}

/** Keeps the custodian's word that the keys of an order are destroyed. */
export async function keepShredded(tx: Tx, request: DeletionOrder['request']): Promise<void> {
  await tx.updateTable('deletion_order').set({ shredded: true }).where('request', '=', request).execute();
}

/** What an order asks of the agent. */
export function askedOf({ request, attempts }: DeletionOrder): { request: typeof request; attempts: NamedAttempt[] } {
  return { request, attempts: attempts.map(({ job, attempt }) => ({ job, attempt })) };
}
