import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { canonicalJson, isId, utf8, type DeviceId, type MemberId } from '@ringfence/base';
import { parseDigest, type Digest } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { BACKUP_TABLES } from '../backup/row-lines.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { BOOK_KEEPING, EXPORTED_TABLES, type Opening } from './exported-tables.ts';

/**
 * What the organisation has here as of one moment, or what of it names one member, in clear: a JSON object a line with its `table`, and last `{"export": statement}` over the
 * lines before. Keys and values of secrets are not in it. That it was asked for is in the ledger before the first byte goes out.
 */
export async function exportOrganisation(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { device, member: asked }: { device: DeviceId; member: string | undefined },
): Promise<Readable> {
  const member = asked === undefined ? undefined : requireMember(asked);
  const event = { type: 'exported', device, ...(member === undefined ? {} : { member }) } as const;
  await context.store.withOrg(claimed.org, (tx) => context.record(tx, claimed.org, event));
  const lines = await context.store.withOrg(
    claimed.org,
    async (tx) => {
      const all = await linesOf(tx, { context, claimed });
      return member === undefined ? all : naming(all, await idsOf(tx, member));
    },
    { isolation: 'repeatable read', readOnly: true },
  );
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line);
  const digest = parseDigest(hash.digest('hex'));
  if (digest === undefined) throw new Error('unreachable');
  return Readable.from([...lines, lastLine(context, claimed, { device, digest, count: lines.length })], {
    objectMode: false,
  });
}

function requireMember(asked: string): MemberId {
  if (isId('member', asked)) return asked;
  throw new CustodianError('bad-request', 'this is no id of a member', { next: 'see `ringfence member ls`' });
}

/** The ids that stand for a member in rows. */
async function idsOf(tx: Tx, member: MemberId): Promise<string[]> {
  const devices = await tx.selectFrom('member_device').select('device').where('member', '=', member).execute();
  return [member, ...devices.map(({ device }) => device)];
}

/** Ids are random and of a fixed form: a line that has one names whom it stands for. The keyring stays whole, since who signed is checked by it. */
function naming(lines: readonly Uint8Array[], ids: readonly string[]): Uint8Array[] {
  const kept = ['"table":"keyring_statement"', ...ids];
  return lines.filter((line) => kept.some((text) => Buffer.from(line).includes(text)));
}

async function linesOf(tx: Tx, by: Opening): Promise<Uint8Array[]> {
  const lines: Uint8Array[] = [];
  for (const table of BACKUP_TABLES) {
    const shape = EXPORTED_TABLES[table] as Shape | typeof BOOK_KEEPING;
    if (shape === BOOK_KEEPING) continue;
    for (const row of await tx.selectFrom(table).selectAll().execute())
      lines.push(utf8(`${canonicalJson({ table, ...(await inClear(row as PlainRow, shape, by)) })}\n`));
  }
  return lines;
}

type PlainRow = Readonly<Record<string, unknown>>;
/** A row of EXPORTED_TABLES, its table's type forgotten. */
interface Shape {
  readonly without?: readonly string[];
  readonly opened?: Readonly<Record<string, (row: PlainRow, by: Opening) => unknown>>;
}

async function inClear(row: PlainRow, { without = [], opened = {} }: Shape, by: Opening): Promise<PlainRow> {
  const written: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row)) if (!without.includes(column)) written[column] = value;
  for (const [column, open] of Object.entries(opened)) written[column] = await open(row, by);
  return written;
}

function lastLine(
  { keys, clock }: CustodianContext,
  { org }: ClaimedOrganisation,
  { device, digest, count }: { device: DeviceId; digest: Digest; count: number },
): Uint8Array {
  const body = { v: 1, org, custodian: keys.id, device, at: clock.now(), lines: { count, digest } } as const;
  return utf8(`${canonicalJson({ export: signStatement('export', body, [keys.enrolment]) })}\n`);
}
