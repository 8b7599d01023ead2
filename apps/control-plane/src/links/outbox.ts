import type { OrgId } from '@ringfence/base';
import type { DurableControlMessage } from '@ringfence/client/control-link';
import { frameBytesOf } from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import type { CompiledQuery } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { PartyId } from '../store/tables.ts';

/**
 * Puts a durable message for `party` into the outbox, in the transaction of the change that causes it. Throws ControlPlaneError `too-much` for
 * one that no frame takes: it would stand before all others to that party for ever.
 */
export async function enqueue(
  context: ControlPlaneContext,
  tx: Tx,
  to: { party: PartyId; org: OrgId },
  message: DurableControlMessage,
): Promise<void> {
  checkFits(message);
  const { next_mid: next } = await tx
    .updateTable('party')
    .set((column) => ({ next_mid: column('next_mid', '+', 1) }))
    .where('id', '=', to.party)
    .returning('next_mid')
    .executeTakeFirstOrThrow();
  const row = { party: to.party, org: to.org, mid: next - 1, message: JSON.stringify(message) };
  context.store.atCommit(tx, tx.insertInto('outbox').values(row).compile());
  await context.changes.wake(tx, 'outbox', to.party);
}

function checkFits(message: DurableControlMessage): void {
  // The link adds a lease's `echo` when it sends it.
  const complete: Message =
    message.name === 'lease' ? { name: 'lease', body: { ...message.body, echo: Number.MAX_SAFE_INTEGER } } : message;
  try {
    frameBytesOf(complete);
  } catch (cause) {
    throw new ControlPlaneError('too-much', `a ${message.name} does not fit into a frame`, { cause });
  }
}

/** A message that waits for its acknowledgement. */
export interface Waiting {
  readonly mid: number;
  readonly message: DurableControlMessage;
}

/** The messages of `party` above `mid`, in order. */
export function waitingAbove(
  store: ControlPlaneStore,
  to: { party: PartyId; org: OrgId },
  mid: number,
): Promise<Waiting[]> {
  return store.queryOrg(
    to.org,
    (db) =>
      db
        .selectFrom('outbox')
        .select(['mid', 'message'])
        .where('party', '=', to.party)
        .where('mid', '>', mid)
        .orderBy('mid')
        .limit(100)
        .compile(),
    { readOnly: true },
  );
}

/** Forgets what the party stores. */
export function forgetUpTo(tx: Tx, party: PartyId, mid: number): CompiledQuery {
  return tx.deleteFrom('outbox').where('party', '=', party).where('mid', '<=', mid).compile();
}

/** Every party with something in the outbox, and its newest message. */
export function newestByParty(store: ControlPlaneStore): Promise<{ party: PartyId; newest: number }[]> {
  return store.withSystem(
    'waiting-parties',
    (tx) =>
      tx
        .selectFrom('outbox')
        .select((build) => ['party', build.fn.max('mid').as('newest')])
        .groupBy('party')
        .execute(),
    { readOnly: true },
  );
}
