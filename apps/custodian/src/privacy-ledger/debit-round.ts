import type { ArtifactId, JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { PrivacyEvent } from '@ringfence/dp/accountant';
import { addTallies, decideDebit, epsilonSpent, tallyOf, type Bound, type PrivacyUnit } from '@ringfence/dp/ledger';
import type { DebitReason } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import type { PrivacyGrade } from '../store/privacy-tables.ts';
import { isOfUnit, openAccounts, spentOn, type Account } from './account.ts';
import { currentEra, pastOf } from './doubts.ts';
import { entryOf, insertEntry, roundSource } from './entry-rows.ts';
import { familyOf, sourcesOf } from './lineage.ts';
import { spellDebit } from './spelled.ts';
import { addToTally, eventsFor, readTally, type Addition } from './tally-rows.ts';

/** One round of a contract on one dataset, asked for by an attempt. */
export interface RoundUse {
  readonly dataset: ArtifactId;
  readonly contract: Digest;
  readonly round: number;
  readonly job: JobId;
  readonly attempt: number;
}

/** What a round takes. */
export interface RoundDebit extends RoundUse {
  readonly unit: PrivacyUnit;
  readonly grade: PrivacyGrade;
  /** What a budget is debited by. */
  readonly events: readonly PrivacyEvent[];
  /** The same for outsiders, for one curious member and for all others together: told in the status. */
  readonly views?: Addition['views'];
  /** The most that the contract lets be spent of the dataset, and when it was signed. */
  readonly most?: Bound & { readonly signedAt: number };
}

/** Whether a round may begin; `again` when the same attempt asked before. */
export type RoundDecision =
  | { readonly allow: true; readonly again: boolean }
  | { readonly allow: false; readonly reasons: readonly DebitReason[] };

/**
 * Debits a round from the budget of its dataset and of every dataset with rows of the same people, or refuses. The same attempt asking again gets the
 * same answer and nothing is debited; for another attempt the round is taken: it would be a second use. Whatever comes of the round, it is spent.
 */
export async function debitRound(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  debit: RoundDebit,
): Promise<RoundDecision> {
  const { org } = claimed;
  const accounts = await openAccounts(tx, await familyOf(tx, debit.dataset), 'lock');
  const before = await entryOf(tx, debit.dataset, roundSource(debit));
  const written = spellDebit(debit);
  if (before !== undefined) {
    const same = before.job === debit.job && before.attempt === debit.attempt && before.debit === written;
    return same ? { allow: true, again: true } : refuse(context, tx, claimed, { debit, reasons: ['round-taken'] });
  }
  const reasons = await reasonsAgainst(tx, accounts, debit);
  if (reasons.length > 0) return refuse(context, tx, claimed, { debit, reasons });
  const { dataset: artifact, contract, grade, unit, events, views = {} } = debit;
  await addToTally(tx, org, { artifact, era: await currentEra(tx), contract, grade, unit, events, views });
  await insertEntry(tx, org, { ...debit, kind: 'spent', debit: written, at: context.clock.now() });
  await context.record(tx, org, { type: 'privacy-debited', ...named(debit), grade });
  return { allow: true, again: false };
}

/** Keeps a round without noise as a release that was not counted; for another attempt of the round, as another one. */
export async function recordRound(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  use: RoundUse,
): Promise<void> {
  const isNew = await insertEntry(tx, org, { ...use, kind: 'uncounted', debit: null, at: context.clock.now() });
  if (isNew) await context.record(tx, org, { type: 'privacy-uncounted', ...named(use) });
}

async function reasonsAgainst(tx: Tx, accounts: readonly Account[], debit: RoundDebit): Promise<DebitReason[]> {
  const above = await sourcesOf(tx, debit.dataset);
  if (!accounts.some(({ artifact }) => above.includes(artifact))) return ['no-budget'];
  const reasons = new Set<DebitReason>();
  for (const account of accounts) {
    if (account.past.known === 'not') reasons.add('unsettled');
    else if (!isOfUnit(account)) reasons.add('unit-mismatch');
    else {
      const decision = decideDebit(account.budget, spentOn(account), debit);
      if (!decision.allow) for (const reason of decision.reasons) reasons.add(reason);
    }
  }
  if (await isOverContract(tx, debit)) reasons.add('contract-budget');
  return [...reasons];
}

/** What a contract spent before a doubt is not known, so it counts as all that it may. */
async function isOverContract(tx: Tx, { dataset, contract, events, most }: RoundDebit): Promise<boolean> {
  if (most === undefined) return false;
  const past = await pastOf(tx, dataset);
  if (past.known !== 'all' && (past.known === 'not' || most.signedAt <= past.at)) return true;
  const rows = (await readTally(tx, [dataset], 0)).filter((row) => row.contract === contract);
  const tally = addTallies(eventsFor(rows, 'budget'), tallyOf(events));
  return epsilonSpent({ floor: undefined, tally }, most.delta) > most.epsilon;
}

async function refuse(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { debit, reasons }: { readonly debit: RoundDebit; readonly reasons: readonly DebitReason[] },
): Promise<RoundDecision> {
  const isNew = await insertEntry(tx, org, { ...debit, kind: 'refused', debit: null, at: context.clock.now() });
  // An agent may ask often: the first no of a round is written down.
  if (isNew) await context.record(tx, org, { type: 'privacy-refused', ...named(debit), reasons: [...reasons] });
  return { allow: false, reasons };
}

function named({ dataset, contract, round, job, attempt }: RoundUse) {
  return { artifact: dataset, contract, round, job, attempt };
}
