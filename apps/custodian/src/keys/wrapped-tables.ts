import type { ObjectIdentity } from '@ringfence/crypto/seal';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import type { KeyOwner } from './project-keys.ts';

/** A table whose rows have a wrapped data key, and what a row's key is bound to. */
interface WrappedTable {
  readonly table: string;
  /** The column that names what the data key opens. */
  readonly key: string;
  readonly object: (key: string) => string;
  /** The column that has the version; 1 without one. */
  readonly version: string | undefined;
}

/** Every table with wrapped data keys; positions in this list are stored, so it only grows at its end. */
export const WRAPPED_TABLES: readonly WrappedTable[] = [
  { table: 'chunk', key: 'id', object: (id) => id, version: undefined },
  { table: 'artifact_version', key: 'artifact', object: (artifact) => artifact, version: 'version' },
  { table: 'secret', key: 'name_index', object: (index) => `secret:${index}`, version: 'version' },
  { table: 'checkpoint', key: 'job', object: (job) => `checkpoint:${job}`, version: undefined },
  { table: 'attempt_log', key: 'job', object: (job) => `log:${job}`, version: 'attempt' },
];

/** A wrapped data key with its place. */
export interface WrappedRow {
  /** Where the row lies: block and item. */
  readonly ctid: string;
  readonly identity: ObjectIdentity;
  readonly kek: string;
  readonly kek_version: number;
  readonly key_box: string;
}

/** What lies in some pages of a table, and whether there are pages behind them. */
export interface WrappedPages {
  readonly rows: readonly WrappedRow[];
  readonly more: boolean;
}

/**
 * The rows of `count` pages from page `from` on, but for those that lie under `version` already. By pages and not by keys: ids of chunks are random, and
 * writing rows in their order would write each page of the table as often as it has rows.
 */
export async function rowsOfPages(
  tx: Tx,
  {
    table,
    owner,
    version,
    from,
    count,
  }: { table: WrappedTable; owner: KeyOwner; version: number; from: number; count: number },
): Promise<WrappedPages> {
  const { org, project } = owner;
  const { key, of } = columnsOf(table);
  const { rows: sizes } = await sql<{ pages: number }>`
    select pg_relation_size(${table.table}::regclass) / current_setting('block_size')::bigint as pages`.execute(tx);
  const { rows } = await sql<Omit<WrappedRow, 'identity'> & { key: string; of: number }>`
    select ctid::text, ${key} as key, ${of} as of, kek, kek_version, key_box from ${sql.table(table.table)}
    where ctid >= ${`(${from},0)`}::tid and ctid < ${`(${from + count},0)`}::tid
    and key_box is not null and (kek <> ${project} or kek_version <> ${version})`.execute(tx);
  return {
    rows: rows.map(({ key: name, of: number, ...row }) => ({
      ...row,
      identity: { org, project, object: table.object(name), version: number },
    })),
    more: (sizes[0]?.pages ?? 0) > from + count,
  };
}

/** Puts new boxes into rows that still have the ones that they were read with; what was replaced or removed meanwhile stays as it is. */
export async function putBoxes(
  tx: Tx,
  { table }: WrappedTable,
  boxes: readonly { readonly row: WrappedRow; readonly kek: string; readonly version: number; readonly box: string }[],
): Promise<void> {
  const [first] = boxes;
  if (first === undefined) return;
  await sql`
    update ${sql.table(table)} as t set kek = ${first.kek}, kek_version = ${first.version}, key_box = d.box
    from unnest(
      ${boxes.map(({ row }) => row.ctid)}::tid[], ${boxes.map(({ row }) => row.key_box)}::text[], ${boxes.map(({ box }) => box)}::text[]
    ) as d(at, old, box)
    where t.ctid = d.at and t.key_box = d.old`.execute(tx);
}

/** How many rows of all tables have a wrapped key, and how many of them lie under another one than this. */
export async function countWrapped(
  tx: Tx,
  { project }: KeyOwner,
  version: number,
): Promise<{ readonly total: number; readonly stale: number }> {
  let [total, stale] = [0, 0];
  for (const { table } of WRAPPED_TABLES) {
    const { rows } = await sql<{ total: number; stale: number }>`
      select count(*) as total, count(*) filter (where kek <> ${project} or kek_version <> ${version}) as stale
      from ${sql.table(table)} where key_box is not null`.execute(tx);
    total += rows[0]?.total ?? 0;
    stale += rows[0]?.stale ?? 0;
  }
  return { total, stale };
}

/** Whether a row of any table lies under the key called `kek`. */
export async function liesUnder(tx: Tx, kek: string): Promise<boolean> {
  for (const { table } of WRAPPED_TABLES) {
    const { rows } = await sql`select 1 from ${sql.table(table)} where kek = ${kek} limit 1`.execute(tx);
    if (rows.length > 0) return true;
  }
  return false;
}

function columnsOf(table: WrappedTable) {
  return {
    key: sql.ref(table.key),
    of: table.version === undefined ? sql`1::bigint` : sql.ref(table.version),
  };
}
