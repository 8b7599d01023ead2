import type { OrgId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { Verified } from '@ringfence/keyring';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { RULE_DOCUMENT } from '../store/sealed-columns.ts';
import type { Tx } from '../store/open-store.ts';
import type { SignedRuleTable } from '../store/rule-tables.ts';

/** Which rule: each has versions of its own. */
export interface RuleName {
  readonly kind: SignedRuleTable['kind'];
  readonly name_index: string;
}

/** One version of a rule as it is kept. */
export interface KeptRule extends RuleName {
  readonly seq: number;
  readonly digest: Digest;
  readonly envelope: Envelope;
}

const COLUMNS = ['kind', 'name_index', 'seq', 'digest', 'document_box'] as const;

/** The version that counts. */
export async function newestRule(
  context: CustodianContext,
  tx: Tx,
  { kind, name_index }: RuleName,
): Promise<KeptRule | undefined> {
  const row = await tx
    .selectFrom('signed_rule')
    .select(COLUMNS)
    .where('kind', '=', kind)
    .where('name_index', '=', name_index)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : opened(context, row);
}

/** One version by its digest. */
export async function ruleOf(context: CustodianContext, tx: Tx, digest: Digest): Promise<KeptRule | undefined> {
  const row = await tx.selectFrom('signed_rule').select(COLUMNS).where('digest', '=', digest).executeTakeFirst();
  return row === undefined ? undefined : opened(context, row);
}

/** The newest version of every rule of a kind. */
export async function newestRules(
  context: CustodianContext,
  tx: Tx,
  kind: SignedRuleTable['kind'],
): Promise<KeptRule[]> {
  const rows = await tx
    .selectFrom('signed_rule')
    .select(COLUMNS)
    .distinctOn('name_index')
    .where('kind', '=', kind)
    .orderBy('name_index')
    .orderBy('seq', 'desc')
    .execute();
  return rows.map((row) => opened(context, row));
}

/**
 * Keeps a verified statement as the version after the newest; the same again changes nothing. Any other number is refused: an older version, or
 * one that was signed before its officer saw the newest, would undo a rule. Throws CustodianError `conflict`.
 */
export async function keepRule(
  context: CustodianContext,
  tx: Tx,
  org: OrgId,
  { name, statement }: { readonly name: RuleName; readonly statement: Verified<'profile'> | Verified<'policy'> },
): Promise<'kept' | 'known'> {
  const { body, digest, envelope } = statement;
  const newest = await newestRule(context, tx, name);
  if (newest?.digest === digest) return 'known';
  const row = {
    org,
    ...name,
    digest,
    seq: body.seq,
    document_box: context.columns.seal(RULE_DOCUMENT, digest, envelope),
    at: context.clock.now(),
  };
  const kept =
    body.seq === (newest?.seq ?? 0) + 1 &&
    (await tx
      .insertInto('signed_rule')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .returning('seq')
      .executeTakeFirst());
  if (kept === false || kept === undefined)
    throw new CustodianError('conflict', 'the statement does not follow the newest one that is kept', {
      next: 'look at what counts now, and set it again',
    });
  return 'kept';
}

function opened(
  { columns }: CustodianContext,
  { document_box, ...row }: Pick<SignedRuleTable, (typeof COLUMNS)[number]>,
): KeptRule {
  return { ...row, envelope: columns.open(RULE_DOCUMENT, row.digest, document_box) };
}
