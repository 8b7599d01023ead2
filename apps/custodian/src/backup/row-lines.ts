import { canonicalJson } from '@ringfence/base';
import type { Tx } from '../store/open-store.ts';
import type { CustodianTables } from '../store/tables.ts';

/** Every table, those that others point to first. The outbox is not among them: a restore announces everything anew. */
export const BACKUP_TABLES = [
  'organisation',
  'keyring_statement',
  'join_code',
  'site',
  'agent',
  'certified_agent',
  'object',
  'chunk',
  'artifact',
  'artifact_version',
  'job',
  'job_output',
  'attempt',
  'secret',
  'checkpoint',
  'attempt_log',
  'notice',
  'endpoint',
  'endpoint_revision',
  'endpoint_slot',
  'endpoint_token',
  'gateway',
  'endpoint_issuer',
  'lock',
  'evidence',
  'signed_rule',
  'contract',
  'contract_withdrawal',
  'peer_name',
  'federation_job',
  'federation_round',
  'federation_pause',
  'dataset_owner',
  'privacy_budget',
  'contract_only',
  'privacy_lineage',
  'dataset_object',
  'indexed_version',
  'privacy_tally',
  'privacy_entry',
  'privacy_doubt',
  'release_request',
  'release_word',
  'opening',
  'shredded_attempt',
  'shred_order',
  'retention',
  'erasure',
  'project_kek',
  'key_rotation',
  'tombstone',
  // Not recovery codes, what was given, nor proposals: a restore would bring spent ones back.
  'member',
  'member_device',
  'totp',
  'event',
  'audit_subject',
] as const satisfies readonly (keyof CustodianTables)[];

type Cell = null | string | number | boolean | { readonly bytes: string } | { readonly json: unknown };

/** All rows of a table as lines of canonical JSON; bytes and documents are marked as what they are. */
export async function readLines(tx: Tx, table: (typeof BACKUP_TABLES)[number]): Promise<Uint8Array> {
  const rows: readonly object[] = await tx.selectFrom(table).selectAll().execute();
  return Buffer.from(rows.map((row) => `${canonicalJson(encode(row))}\n`).join(''));
}

/** Inserts the rows of {@link readLines}. */
export async function writeLines(tx: Tx, table: (typeof BACKUP_TABLES)[number], lines: Uint8Array): Promise<void> {
  const rows = Buffer.from(lines)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => decode(JSON.parse(line) as Record<string, Cell>));
  for (let at = 0; at < rows.length; at += 500)
    await tx
      .insertInto(table)
      .values(rows.slice(at, at + 500) as never)
      .execute();
}

function encode(row: object): Record<string, Cell> {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, encodeCell(value)]));
}

function encodeCell(value: unknown): Cell {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (typeof value === 'object' && value !== null) return { json: value };
  return value as Cell;
}

function decode(row: Record<string, Cell>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([column, cell]) => [column, decodeCell(cell)]));
}

function decodeCell(cell: Cell): unknown {
  if (typeof cell !== 'object' || cell === null) return cell;
  return 'bytes' in cell ? Buffer.from(cell.bytes, 'base64') : JSON.stringify(cell.json);
}
