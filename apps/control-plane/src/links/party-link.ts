import { isId, type AgentId, type CustodianId, type SiteId } from '@ringfence/base';
import type { HelloAnswer, HelloEvent, JournalPoint, KnownParty } from '@ringfence/client/control-link';
import { sql } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { takeWord } from '../locks/locks.ts';
import type { Tx } from '../store/open-store.ts';
import { forgetUpTo } from './outbox.ts';

/** A party and the number of its connection, which every transaction of that connection checks. */
export interface Connected {
  readonly party: KnownParty;
  readonly connection: number;
  /** Of an agent: where it stands, which a lock may name. */
  readonly site?: SiteId | undefined;
}

/** What is known of the party that an open frame names. */
export async function findParty(
  context: ControlPlaneContext,
  id: AgentId | CustodianId,
): Promise<KnownParty | undefined> {
  const [row] = await context.store.querySystem(
    'find-party',
    (db) =>
      db
        .selectFrom('party')
        .select(['org', 'role', 'sign_key', 'journal_seq', 'journal_hash', 'locked'])
        .where('id', '=', id)
        .where('removed', '=', false)
        .compile(),
    { readOnly: true },
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
): Promise<{ answer: HelloAnswer; connection: number; site?: SiteId | undefined }> {
  return context.changes.run(party.org, async (tx) => {
    const row = await tx
      .selectFrom('party')
      .select(['journal_seq', 'journal_hash', 'locked', 'removed', 'received_mid', 'next_mid', 'connection', 'site'])
      .where('id', '=', party.id)
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow();
    if (row.removed) return refused('unknown-party');
    if (row.locked !== null) return refused('locked');
    if (row.journal_seq !== (offered?.seq ?? null) || row.journal_hash !== (offered?.hash ?? null))
      return refused('superseded');
    const connection = row.connection + 1;
    const change = tx
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
      .where('id', '=', party.id);
    context.store.atCommit(tx, change.compile());
    if (hello.received > 0) context.store.atCommit(tx, forgetUpTo(tx, party.id, hello.received));
    await context.changes.wake(tx, 'link', `${party.id} ${connection}`);
    // Jobs that waited for it are looked at now, not at the placer's next round.
    if (party.role === 'custodian') await context.changes.wake(tx, 'place', party.org);
    return { answer: { allow: true, received: row.received_mid }, connection, site: row.site ?? undefined };
  });
}

function refused(reason: 'unknown-party' | 'locked' | 'superseded'): { answer: HelloAnswer; connection: number } {
  return { answer: { allow: false, reason }, connection: 0 };
}

/** Locks an identity whose journal forked: two machines hold it, and neither may go on. */
export async function lockForFork(context: ControlPlaneContext, { party }: HelloEvent): Promise<void> {
  await context.changes.run(party.org, (tx) => lockParty(context, tx, party, 'fork'));
}

/** Locks a party; its links end on every replica. An agent's lock is a row of its own, which officers see and lift. */
export async function lockParty(
  context: ControlPlaneContext,
  tx: Tx,
  party: Pick<KnownParty, 'id' | 'org'>,
  reason: 'fork' | 'removed' | 'incident',
): Promise<void> {
  const { id, org } = party;
  if (isId('agent', id) && reason === 'fork')
    return takeWord(context, tx, org, { target: id, locked: true, until: null, source: 'fork' });
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

/** The party stores everything up to `mid`. */
export async function takeAck(
  context: ControlPlaneContext,
  { party, connection }: Connected,
  mid: number,
  journal: JournalPoint | undefined,
): Promise<void> {
  await context.store.queryOrg(party.org, (db) =>
    sql`
      with held as (
        select id from party where id = ${party.id} and connection = ${connection} and locked is null and not removed for no key update
      ), forgotten as (
        delete from outbox where party in (select id from held) and mid <= ${mid}
      )
      update party set
        journal_seq = coalesce(${journal?.seq ?? null}::bigint, journal_seq), journal_hash = coalesce(${journal?.hash ?? null}::text, journal_hash)
      where id in (select id from held)`.compile(db),
  );
}

/** The connection is over: unless a newer one exists, the party is offline. */
export async function takeEnd(context: ControlPlaneContext, { party, connection }: Connected): Promise<void> {
  await context.store.queryOrg(party.org, (db) =>
    db
      .updateTable('party')
      .set({ seen_at: null, replica: null })
      .where('id', '=', party.id)
      .where('connection', '=', connection)
      .compile(),
  );
}
