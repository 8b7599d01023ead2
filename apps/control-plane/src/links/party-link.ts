import type { AgentId, CustodianId } from '@ringfence/base';
import type { HelloAnswer, HelloEvent, JournalPoint, KnownParty } from '@ringfence/client/control-link';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { forgetUpTo } from './outbox.ts';

/** A party and the number of its connection, which every transaction of that connection checks. */
export interface Connected {
  readonly party: KnownParty;
  readonly connection: number;
}

/** What is known of the party that an open frame names. */
export async function findParty(
  context: ControlPlaneContext,
  id: AgentId | CustodianId,
): Promise<KnownParty | undefined> {
  const row = await context.store.withSystem('find-party', (tx) =>
    tx
      .selectFrom('party')
      .select(['org', 'role', 'sign_key', 'journal_seq', 'journal_hash', 'locked'])
      .where('id', '=', id)
      .where('removed', '=', false)
      .executeTakeFirst(),
  );
  if (row === undefined || row.role === 'device') return undefined;
  const last =
    row.journal_seq === null || row.journal_hash === null ? null : { seq: row.journal_seq, hash: row.journal_hash };
  return { id, org: row.org, role: row.role, sign: row.sign_key, last, locked: row.locked !== null };
}

/** Takes a hello: this connection is the party's only one from here on, on all replicas. */
export async function acceptHello(
  context: ControlPlaneContext,
  { party, hello, offered }: HelloEvent,
): Promise<{ answer: HelloAnswer; connection: number }> {
  return context.changes.run(party.org, async (tx) => {
    const row = await tx
      .selectFrom('party')
      .select(['journal_seq', 'journal_hash', 'locked', 'removed', 'received_mid', 'next_mid', 'connection'])
      .where('id', '=', party.id)
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow();
    if (row.removed) return refused('unknown-party');
    if (row.locked !== null) return refused('locked');
    if (row.journal_seq !== (offered?.seq ?? null) || row.journal_hash !== (offered?.hash ?? null))
      return refused('superseded');
    const connection = row.connection + 1;
    await tx
      .updateTable('party')
      .set({
        journal_seq: hello.journal.seq,
        journal_hash: hello.journal.hash,
        connection,
        replica: context.replica,
        seen_at: context.clock.now(),
        // A restored database may have forgotten ids that the party has processed.
        next_mid: Math.max(row.next_mid, hello.received + 1),
      })
      .where('id', '=', party.id)
      .execute();
    await forgetUpTo(tx, party.id, hello.received);
    await context.changes.wake(tx, 'link', `${party.id} ${connection}`);
    return { answer: { allow: true, received: row.received_mid }, connection };
  });
}

function refused(reason: 'unknown-party' | 'locked' | 'superseded'): { answer: HelloAnswer; connection: number } {
  return { answer: { allow: false, reason }, connection: 0 };
}

/** Locks an identity whose journal forked: two machines hold it, and neither may go on. */
export async function lockForFork(context: ControlPlaneContext, { party }: HelloEvent): Promise<void> {
  await context.changes.run(party.org, (tx) => lockParty(context, tx, party, 'fork'));
}

/** Locks a party; its links end on every replica. */
export async function lockParty(
  context: ControlPlaneContext,
  tx: Tx,
  party: Pick<KnownParty, 'id' | 'org'>,
  reason: 'fork' | 'removed' | 'incident',
): Promise<void> {
  const changed = await tx
    .updateTable('party')
    .set({ locked: reason, seen_at: null })
    .where('id', '=', party.id)
    .where('locked', 'is', null)
    .returning('connection')
    .executeTakeFirst();
  if (changed === undefined) return;
  await context.record(tx, party.org, { type: 'party-locked', party: party.id, reason });
  await context.changes.wake(tx, 'link', `${party.id} locked`);
}

/** Within a transaction of a connection: is it still the party's newest, and is the party not locked? */
export async function holdConnection(
  tx: Tx,
  { party, connection }: Connected,
): Promise<{ received: number } | undefined> {
  const row = await tx
    .selectFrom('party')
    .select('received_mid')
    .where('id', '=', party.id)
    .where('connection', '=', connection)
    .where('locked', 'is', null)
    .where('removed', '=', false)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row === undefined ? undefined : { received: row.received_mid };
}

/** The party stores everything up to `mid`. */
export async function takeAck(
  context: ControlPlaneContext,
  connected: Connected,
  mid: number,
  journal: JournalPoint | undefined,
): Promise<void> {
  await context.store.withOrg(connected.party.org, async (tx) => {
    if ((await holdConnection(tx, connected)) === undefined) return;
    await forgetUpTo(tx, connected.party.id, mid);
    if (journal === undefined) return;
    await tx
      .updateTable('party')
      .set({ journal_seq: journal.seq, journal_hash: journal.hash })
      .where('id', '=', connected.party.id)
      .execute();
  });
}

/** The connection is over: unless a newer one exists, the party is offline. */
export async function takeEnd(context: ControlPlaneContext, { party, connection }: Connected): Promise<void> {
  await context.store.withOrg(party.org, async (tx) => {
    await tx
      .updateTable('party')
      .set({ seen_at: null, replica: null })
      .where('id', '=', party.id)
      .where('connection', '=', connection)
      .execute();
  });
}
