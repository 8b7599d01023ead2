import type { OrgId } from '@ringfence/base';
import { encodeBundle, hashFromBytes, leafHash, type MerkleHash, type StoredEvent } from '@ringfence/ledger/tlog';
import { CompiledQuery } from 'kysely';
import { StoreError } from '../store-error.ts';
import type { AuditTx } from './audit-store.ts';

/** A stored head: how many entries, their hash, and who may append to it. */
export interface StoredHead {
  readonly epoch: number;
  readonly term: number;
  readonly size: number;
  readonly root: MerkleHash;
}

interface HeadRow {
  readonly epoch: number;
  readonly term: number;
  readonly size: number;
  readonly root: Buffer;
}

/** An event that is not in the log yet, with its number in the ledger. */
export interface PendingEvent extends StoredEvent {
  readonly seq: number;
}

/** Begins a new term of an organisation's log, which nobody with an older term can append to any more; makes the log where there is none. */
export async function claimHead(tx: AuditTx, org: OrgId, epoch: number): Promise<StoredHead> {
  const { rows } = await tx.executeQuery(
    CompiledQuery.raw(
      `insert into audit_log (org, epoch, term) values ($1, $2, 1)
       on conflict (org) do update set term = audit_log.term + 1
       returning epoch, term, size, root`,
      [org, epoch],
    ) as CompiledQuery<HeadRow>,
  );
  return headOf(rows[0]) ?? fail();
}

/** The head as it is stored; undefined before the first. */
export async function readHead(tx: AuditTx, org: OrgId): Promise<StoredHead | undefined> {
  const query = CompiledQuery.raw('select epoch, term, size, root from audit_log where org = $1', [org]);
  const { rows } = await tx.executeQuery(query as CompiledQuery<HeadRow>);
  return headOf(rows[0]);
}

/** The events behind the first `size`, in their order, at most `most`. */
export async function readPending(tx: AuditTx, org: OrgId, size: number, most: number): Promise<PendingEvent[]> {
  const query = CompiledQuery.raw(
    'select seq, at, body, hash, audit from event where org = $1 and seq > $2 order by seq limit $3',
    [org, size, most],
  );
  const { rows } = await tx.executeQuery(query as CompiledQuery<PendingEvent>);
  return rows;
}

/** The stored bytes of entries `[from, until)`, in order; fewer where some are missing. */
export async function readEntries(tx: AuditTx, org: OrgId, from: number, until: number): Promise<Uint8Array[]> {
  const query = CompiledQuery.raw(
    'select bytes from audit_entry where org = $1 and seq >= $2 and seq < $3 order by seq',
    [org, from, until],
  );
  const { rows } = await tx.executeQuery(query as CompiledQuery<{ bytes: Buffer }>);
  return rows.map(({ bytes }) => bytes);
}

/** The bytes of a full tile of hashes; undefined where there is none. */
export async function readFullTile(
  tx: AuditTx,
  org: OrgId,
  level: number,
  index: number,
): Promise<Uint8Array | undefined> {
  const query = CompiledQuery.raw('select bytes from audit_tile where org = $1 and level = $2 and tile = $3', [
    org,
    level,
    index,
  ]);
  const { rows } = await tx.executeQuery(query as CompiledQuery<{ bytes: Buffer }>);
  return rows[0]?.bytes;
}

/**
 * The first `width` hashes of a tile: of entries at level 0, above it the roots of full tiles of the level below. Fewer where rows are
 * missing, which whoever uses them notices.
 */
export async function readPartialTile(
  tx: AuditTx,
  org: OrgId,
  { level, first, width }: { readonly level: number; readonly first: number; readonly width: number },
): Promise<Uint8Array> {
  if (level === 0) {
    const entries = await readEntries(tx, org, first, first + width);
    return Buffer.from(entries.map((entry) => leafHash(entry)).join(''), 'latin1');
  }
  const query = CompiledQuery.raw(
    'select root from audit_tile where org = $1 and level = $2 and tile >= $3 and tile < $4 order by tile',
    [org, level - 1, first, first + width],
  );
  const { rows } = await tx.executeQuery(query as CompiledQuery<{ root: Buffer }>);
  return Buffer.concat(rows.map(({ root }) => root));
}

/** The bundle of entries `[from, from + width)`; of a damaged log what is there, so that who verifies it finds the place. */
export async function readBundle(
  tx: AuditTx,
  org: OrgId,
  from: number,
  width: number,
): Promise<Uint8Array | undefined> {
  const entries = await readEntries(tx, org, from, from + width);
  return entries.length === 0 ? undefined : encodeBundle(entries);
}

function headOf(row: HeadRow | undefined): StoredHead | undefined {
  if (row === undefined) return undefined;
  const root = hashFromBytes(row.root);
  return root === undefined ? fail() : { epoch: row.epoch, term: row.term, size: row.size, root };
}

function fail(): never {
  throw new StoreError('query-failed', 'the head of an audit log cannot be read');
}
