import type { OrgId } from '@ringfence/base';
import type { DurableControlMessage } from '@ringfence/client/control-link';
import { frameBytesOf } from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import { sql, type CompiledQuery } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { PartyId } from '../store/tables.ts';

/** The same as {@link enqueueAll} for one message to `party`. */
export function enqueue(
  context: ControlPlaneContext,
  tx: Tx,
  { party, org }: { party: PartyId; org: OrgId },
  message: DurableControlMessage,
): Promise<void> {
  return enqueueAll(context, tx, org, [{ party, message }]);
}

/**
 * Puts durable messages for parties of `org` into the outbox, those to one party in their order, in the transaction of the change that causes
 * them. Throws ControlPlaneError `too-much` for one that no frame takes: it would stand before all others to that party for ever.
 */
export async function enqueueAll(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  messages: readonly { readonly party: PartyId; readonly message: DurableControlMessage }[],
): Promise<void> {
  const counts = new Map<PartyId, number>();
  const ranks = messages.map(({ party, message }) => {
    checkFits(message);
    const rank = counts.get(party) ?? 0;
    counts.set(party, rank + 1);
    return rank;
  });
  const { numAffectedRows } = await sql`
    with message as (
      select * from unnest(
        ${messages.map(({ party }) => party)}::text[], ${ranks}::bigint[], ${messages.map(({ message }) => JSON.stringify(message))}::text[]
      ) as message (party, rank, body)
    ), grown as (
      update party set next_mid = next_mid + more.messages
      from unnest(${[...counts.keys()]}::text[], ${[...counts.values()]}::bigint[]) as more (party, messages)
      where party.id = more.party
      returning party.id, party.next_mid - more.messages as first
    )
    insert into outbox (party, mid, org, message)
      select grown.id, grown.first + message.rank, ${org}, message.body::jsonb from message join grown on grown.id = message.party`.execute(
    tx,
  );
  if (numAffectedRows !== BigInt(messages.length)) throw new RangeError('a message is for a party that is not there');
  for (const party of counts.keys()) await context.changes.wake(tx, 'outbox', party);
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
