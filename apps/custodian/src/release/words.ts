import type { DeviceId, OrgId, ReleaseId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { CLOCK_SKEW_MS, KeyringError, readStatement, verifyStatement, type Verified } from '@ringfence/keyring';
import type { GivenWord } from '@ringfence/policy/release';
import { sql, type Selectable } from 'kysely';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import type { ReleaseWordTable } from '../store/release-tables.ts';
import { RELEASE_END, RELEASE_WORD } from '../store/sealed-columns.ts';

/** The statements that owners sign. */
type WordName = 'release' | 'release-rule' | 'release-end';

/**
 * A statement that the device that hands it in has signed itself, for this organisation, not ahead of time. Throws CustodianError
 * `bad-statement`.
 */
export function openWord<Name extends WordName>(
  { clock }: CustodianContext,
  { org, keyring }: ClaimedOrganisation,
  { name, envelope, device }: { name: Name; envelope: Envelope; device: DeviceId },
): Verified<Name> {
  const key = keyring.deviceKey(device);
  const verified = tryVerify(name, envelope, key === undefined ? [] : [key]);
  const { body } = verified;
  if (body.org === org && body.device === device && body.at <= clock.now() + CLOCK_SKEW_MS) return verified;
  throw new CustodianError('bad-statement', 'the statement is of another organisation or device, or dated ahead', {
    next: 'sign it with the device that hands it in, and compare the clocks',
  });
}

function tryVerify<Name extends WordName>(
  name: Name,
  envelope: Envelope,
  keys: Parameters<typeof verifyStatement>[1],
): Verified<Name> {
  try {
    return verifyStatement(readStatement(name, envelope), keys);
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CustodianError('bad-statement', 'the statement is not one that this device signed', {
      cause,
      next: 'sign it with the device that hands it in',
    });
  }
}

/** A word that is to be kept. */
export interface NewWord {
  readonly kind: ReleaseWordTable['kind'];
  readonly request: ReleaseId | null;
  readonly device: DeviceId;
  readonly digest: Digest;
  readonly envelope: Envelope;
  readonly scopes: readonly string[];
}

/** Keeps a word after all that are kept; false when it is kept already, or when its device has decided this request before. */
export async function keepWord(context: CustodianContext, tx: Tx, org: OrgId, added: NewWord): Promise<boolean> {
  const { kind, request, device, digest, envelope, scopes } = added;
  // One after the other: the ledger's lock, which comes last in every transaction.
  await tx.selectFrom('organisation').select('org').where('org', '=', org).forNoKeyUpdate().executeTakeFirstOrThrow();
  const { last } = await tx
    .selectFrom('release_word')
    .select(({ fn }) => fn.max<number | null>('seq').as('last'))
    .executeTakeFirstOrThrow();
  const kept = await tx
    .insertInto('release_word')
    .values({
      org,
      word: digest,
      seq: Number(last ?? 0) + 1,
      kind,
      request,
      device,
      scopes: JSON.stringify(scopes),
      word_box: context.columns.seal(RELEASE_WORD, digest, envelope),
      at: context.clock.now(),
      end_box: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('word')
    .executeTakeFirst();
  return kept !== undefined;
}

/** A word as it is kept. */
export type KeptWord = Selectable<ReleaseWordTable>;

/** The words that speak of any of `scopes` and were not ended, as the decision takes them. */
export async function wordsAbout(
  context: CustodianContext,
  tx: Tx,
  scopes: readonly string[],
): Promise<readonly GivenWord[]> {
  const rows = await tx
    .selectFrom('release_word')
    .selectAll()
    .where('end_box', 'is', null)
    .where(sql<boolean>`scopes ?| ${[...scopes]}::text[]`)
    .execute();
  return rows.map((row) => givenWord(context, row));
}

function givenWord(context: CustodianContext, row: KeptWord): GivenWord {
  const { word: id, seq, used } = row;
  const envelope = wordEnvelope(context, row);
  if (row.kind === 'release') return { id, seq, kind: 'release', body: readStatement('release', envelope).claimed };
  return { id, seq, used, kind: 'rule', body: readStatement('release-rule', envelope).claimed };
}

/** The statement of a kept word. */
export function wordEnvelope({ columns }: CustodianContext, { word, word_box }: KeptWord): Envelope {
  return columns.open(RELEASE_WORD, word, word_box);
}

/**
 * Counts one more opening by each of these words, and keeps them from ending before the transaction does; false when one has ended, or another
 * opening took the last that it allows.
 */
export async function spendWords(tx: Tx, words: readonly GivenWord[]): Promise<boolean> {
  const limits = new Map(words.map((word) => [word.id, word.kind === 'rule' ? word.body.mostOpenings : undefined]));
  const ids = [...limits.keys()];
  const rows = await tx
    .selectFrom('release_word')
    .select(['word', 'used', 'end_box'])
    .where('word', '=', sql<Digest>`any(${ids})`)
    .orderBy('word')
    .forUpdate()
    .execute();
  const holds = rows.every(({ word, used, end_box }) => end_box === null && used < (limits.get(word) ?? Infinity));
  if (!holds || rows.length < ids.length) return false;
  await tx
    .updateTable('release_word')
    .set({ used: sql<number>`used + 1` })
    .where('word', '=', sql<Digest>`any(${ids})`)
    .execute();
  return true;
}

/** Ends a word, once; false when it was ended before. */
export async function markEnded(
  { columns }: CustodianContext,
  tx: Tx,
  { word, envelope }: { word: Digest; envelope: Envelope },
): Promise<boolean> {
  const ended = await tx
    .updateTable('release_word')
    .set({ end_box: columns.seal(RELEASE_END, word, envelope) })
    .where('word', '=', word)
    .where('end_box', 'is', null)
    .returning('word')
    .executeTakeFirst();
  return ended !== undefined;
}
