import type { Rng } from '@ringfence/base';
import { unwrapDataKey } from '@ringfence/crypto/open';
import { wrapDataKey } from '@ringfence/crypto/seal';
import type { Selectable } from 'kysely';
import type { KeyRotationTable } from '../store/key-tables.ts';
import type { Tx } from '../store/open-store.ts';
import type { KeyOwner, ProjectKeys } from './project-keys.ts';
import { putBoxes, rowsOfPages, WRAPPED_TABLES, type WrappedRow } from './wrapped-tables.ts';

/** Pages of one transaction: some 10,000 chunks, half a second's. */
const PAGES = 400;
/** Rows that are written together, while the next ones are wrapped. */
const PART = 1_000;
/** Rows after which others get their turn: some 10 ms. */
const BREATH = 250;

interface Parts {
  readonly projectKeys: ProjectKeys;
  readonly rng: Rng;
}

/**
 * Wraps the data keys of the next pages under the rotation's key, and notes in the same transaction how far it came. False when there were none
 * left. A box that does not open ends it, so that nothing under the old key is lost unseen: throws CryptoError `cannot-open`, CustodianError `kek-…`.
 */
export async function rewrapBatch(
  parts: Parts,
  tx: Tx,
  { owner, rotation }: { readonly owner: KeyOwner; readonly rotation: Selectable<KeyRotationTable> },
): Promise<boolean> {
  const { version, at_table, at_page } = rotation;
  const table = WRAPPED_TABLES[at_table];
  if (table === undefined) return false;
  const { rows, more } = await rowsOfPages(tx, { table, owner, version, from: at_page, count: PAGES });
  const writes: Promise<void>[] = [];
  for (let at = 0; at < rows.length; at += PART) {
    const boxes = await rewrapped(parts, tx, { owner, version, rows: rows.slice(at, at + PART) });
    const write = putBoxes(tx, table, boxes);
    // Whoever awaits them all hears of it.
    write.catch(() => undefined);
    writes.push(write);
  }
  await Promise.all(writes);
  const there = more ? { at_page: at_page + PAGES } : { at_table: at_table + 1, at_page: 0 };
  await tx
    .updateTable('key_rotation')
    .set((value) => ({ ...there, rows_done: value('rows_done', '+', rows.length) }))
    .where('version', '=', version)
    .execute();
  return true;
}

async function rewrapped(
  { projectKeys, rng }: Parts,
  tx: Tx,
  { owner, version, rows }: { owner: KeyOwner; version: number; rows: readonly WrappedRow[] },
) {
  const to = await projectKeys.named(tx, owner, { kek: owner.project, version });
  const boxes: { row: WrappedRow; kek: string; version: number; box: string }[] = [];
  for (const [at, row] of rows.entries()) {
    const from = await projectKeys.named(tx, owner, { kek: row.kek, version: row.kek_version });
    const wrapped = { kek: row.kek, version: row.kek_version, box: row.key_box };
    boxes.push({ row, ...wrapDataKey(to, unwrapDataKey(from, wrapped, row.identity), row.identity, rng) });
    if (at % BREATH === BREATH - 1) await new Promise(setImmediate);
  }
  return boxes;
}
