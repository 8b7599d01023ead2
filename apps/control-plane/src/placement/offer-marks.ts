import type { AgentId, EpochMs, OfferId } from '@ringfence/base';
import { sql } from 'kysely';
import type { Barred } from '../marketplace/is-barred.ts';
import type { Tx } from '../store/open-store.ts';
import { stateAt, type OfferMark } from './offer-rows.ts';

/** What a reader knows already. */
export interface KnownMarks {
  /** Of the last reading. */
  readonly snapshot: string;
  /** Agents that by what was read last are not heard any more: only each heartbeat says otherwise. */
  readonly silent: readonly AgentId[];
}

/** Marks of an organisation's offers. */
export interface ReadMarks {
  readonly marks: readonly OfferMark[];
  /** Offers that are there no more; undefined: all that have no mark. */
  readonly gone: readonly OfferId[] | undefined;
  /** Nothing that was changed by a transaction below it was missed. */
  readonly snapshot: string;
}

interface MarkRow extends Barred {
  readonly offer: OfferId;
  readonly agent: AgentId;
  readonly row_version: number;
  readonly seen_at: number | null;
  readonly locked: boolean;
  readonly draining: boolean;
  readonly removed: boolean;
}

/** A mark for each offer of the organisation's agents that were not removed; with `known`, for those alone that may be another than before. */
export async function readMarks(tx: Tx, now: EpochMs, known?: KnownMarks): Promise<ReadMarks> {
  // In this order: what is committed between the two is read twice, and never missed.
  const [snapshot, { rows }] = await Promise.all([
    sql<{ xmin: string }>`select pg_snapshot_xmin(pg_current_snapshot())::text as xmin`.execute(tx),
    known === undefined ? allRows(tx) : changedRows(tx, known),
  ]);
  const there = rows.filter(({ removed }) => !removed);
  return {
    marks: there.map((row) => markOf(row, now)),
    gone: known === undefined ? undefined : rows.flatMap(({ offer, removed }) => (removed ? [offer] : [])),
    snapshot: snapshot.rows[0]?.xmin ?? '0',
  };
}

function markOf(row: MarkRow, now: EpochMs): OfferMark {
  const {
    offer,
    agent,
    row_version,
    seen_at: seenAt,
    locked,
    draining,
    admitted_until,
    avoided_until,
    avoided_for,
  } = row;
  const standing = { seenAt, locked, draining, admitted_until, avoided_until, avoided_for };
  return { offer, agent, rowVersion: row_version, standing, state: stateAt(standing, now) };
}

const MARKED = sql`
  select offer.offer, offer.agent, offer.row_version, party.seen_at, party.locked is not null as locked,
    party.draining or offer.cordoned as draining, party.removed, party.admitted_until, offer.avoided_until, offer.avoided_for
  from offer join party on party.id = offer.agent`;

function allRows(tx: Tx): Promise<{ readonly rows: readonly MarkRow[] }> {
  return sql<MarkRow>`${MARKED} where not party.removed`.execute(tx);
}

function changedRows(tx: Tx, { snapshot, silent }: KnownMarks): Promise<{ readonly rows: readonly MarkRow[] }> {
  return sql<MarkRow>`${MARKED} where offer.agent = any(array(
    select agent from offer where changed_by >= ${snapshot}::bigint
    union select id from party where role = 'agent' and changed_by >= ${snapshot}::bigint
    union select unnest(${silent}::text[])
  ))`.execute(tx);
}
