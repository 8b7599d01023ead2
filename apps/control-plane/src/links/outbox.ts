import type { JobId, OrgId } from '@ringfence/base';
import type { DurableControlMessage } from '@ringfence/client/control-link';
import { frameBytesOf } from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import { sql, type CompiledQuery } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { PartyId } from '../store/tables.ts';

/** A message to a party; a lease is stored as which attempt it is for, whose rows have to be there by the COMMIT. */
export interface Outgoing {
  readonly party: PartyId;
  readonly message: DurableControlMessage;
  readonly leases?: { readonly job: JobId; readonly attempt: number };
}

/** The same as {@link enqueueAll} for one message to `party`. */
export function enqueue(
  context: ControlPlaneContext,
  tx: Tx,
  { party, org }: { party: PartyId; org: OrgId },
  message: DurableControlMessage,
): Promise<void> {
  return enqueueAll(context, tx, org, [{ party, message }]);
}

/** The same for one message to the organisation's custodian. */
export async function enqueueToCustodian(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  message: DurableControlMessage,
): Promise<void> {
  const { custodian } = await tx
    .selectFrom('organisation')
    .select('custodian')
    .where('org', '=', org)
    .executeTakeFirstOrThrow();
  await enqueue(context, tx, { party: custodian, org }, message);
}

/**
 * Puts durable messages for parties of `org` into the outbox, those to one party in their order, in the transaction of the change that causes
 * them. Throws ControlPlaneError `too-much` for one that no frame takes: it would stand before all others to that party for ever.
 */
export async function enqueueAll(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  messages: readonly Outgoing[],
): Promise<void> {
  const counts = new Map<PartyId, number>();
  const ranks = messages.map(({ party, message }) => {
    checkFits(message);
    const rank = counts.get(party) ?? 0;
    counts.set(party, rank + 1);
    return rank;
  });
  const bodies = messages.map(({ message, leases }) => (leases === undefined ? JSON.stringify(message) : null));
  const { numAffectedRows } = await sql`
    with message as (
      select * from unnest(
        ${messages.map(({ party }) => party)}::text[], ${ranks}::bigint[], ${bodies}::text[],
        ${messages.map(({ leases }) => leases?.job ?? null)}::text[], ${messages.map(({ leases }) => leases?.attempt ?? null)}::integer[]
      ) as message (party, rank, body, lease_of, attempt)
    ), grown as (
      update party set next_mid = next_mid + more.messages
      from unnest(${[...counts.keys()]}::text[], ${[...counts.values()]}::bigint[]) as more (party, messages)
      where party.id = more.party
      returning party.id, party.next_mid - more.messages as first
    )
    insert into outbox (party, mid, org, message, lease_of, attempt)
      select grown.id, grown.first + message.rank, ${org}, message.body::jsonb, message.lease_of, message.attempt
      from message join grown on grown.id = message.party`.execute(tx);
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
      sql<Waiting>`
        select outbox.mid, coalesce(outbox.message, jsonb_build_object('name', 'lease', 'body', jsonb_build_object(
          'job', job.job_envelope, 'label', job.label_envelope, 'placement', job.placement,
          'receipt', attempt.receipt, 'lease', attempt.lease
        ))) as message
        from outbox
        left join attempt on attempt.job = outbox.lease_of and attempt.attempt = outbox.attempt
        left join job on job.job = outbox.lease_of
        where outbox.party = ${to.party} and outbox.mid > ${mid}
        order by outbox.mid limit 100`.compile(db),
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
