import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { debitRound, recordRound, type RoundDebit, type RoundDecision, type RoundUse } from './debit-round.ts';
import { openDoubts } from './doubts.ts';
import type { Mark } from './ledger-mark.ts';

/** What may be done to the ledger in one transaction. */
export interface PrivacyLedger {
  /** See {@link debitRound}. */
  readonly debitRound: (debit: RoundDebit) => Promise<RoundDecision>;
  /** See {@link recordRound}. */
  readonly recordRound: (use: RoundUse) => Promise<void>;
}

/**
 * Runs a decision about rounds in one transaction with their debits, and gives its answer once the debits are on disk and the mark beside the
 * database says so. Before that a database that is behind the mark is found out, and everything in it doubted.
 */
export async function inPrivacyLedger<Result>(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  run: (tx: Tx, ledger: PrivacyLedger) => Promise<Result>,
): Promise<Result> {
  await findOut(context, claimed);
  const { result, head } = await context.store.withOrg(claimed.org, async (tx) => {
    const done = await run(tx, {
      debitRound: (debit) => debitRound(context, tx, claimed, debit),
      recordRound: (use) => recordRound(context, tx, claimed, use),
    });
    context.fault('debit-before-commit');
    return { result: done, head: await headOf(tx, claimed) };
  });
  context.fault('debit-after-commit');
  context.privacyMark.keep(head);
  context.fault('debit-after-mark');
  return result;
}

/** A database whose ledger lacks the entry that the mark names, or has another in its place, was put back: from now on its past is in doubt. */
async function findOut(context: CustodianContext, claimed: ClaimedOrganisation): Promise<void> {
  const { privacyMark: mark, store, clock } = context;
  const { newest } = mark;
  if (newest === undefined) return;
  const head = await store.withOrg(claimed.org, async (tx) => {
    if (newest.org === claimed.org && (await hashAt(tx, newest.seq)) === newest.hash) return undefined;
    await openDoubts(tx, claimed.org, { cause: 'rolled-back', at: clock.now() });
    await context.record(tx, claimed.org, { type: 'privacy-doubted', cause: 'rolled-back' });
    return headOf(tx, claimed);
  });
  if (head !== undefined) mark.keep(head, 'anew');
}

/** Whether the database is behind the mark; nothing is written. */
export async function isBehindMark(
  { privacyMark: { newest } }: Pick<CustodianContext, 'privacyMark'>,
  tx: Tx,
  { org }: ClaimedOrganisation,
): Promise<boolean> {
  return newest !== undefined && (newest.org !== org || (await hashAt(tx, newest.seq)) !== newest.hash);
}

async function hashAt(tx: Tx, seq: number): Promise<string | undefined> {
  const row = await tx.selectFrom('event').select('hash').where('seq', '=', seq).executeTakeFirst();
  return row?.hash;
}

async function headOf(tx: Tx, { org }: ClaimedOrganisation): Promise<Mark> {
  const { event_seq: seq, event_hash: hash } = await tx
    .selectFrom('organisation')
    .select(['event_seq', 'event_hash'])
    .where('org', '=', org)
    .executeTakeFirstOrThrow();
  return { org, seq, hash };
}
