import { epochMs, type ArtifactId } from '@ringfence/base';
import { epsilonSpent, hides, type Spent } from '@ringfence/dp/ledger';
import { decimalOf } from '@ringfence/protocol/federation';
import type { PrivacyRow } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import type { PrivacyParty } from '../store/privacy-tables.ts';
import { ARTIFACT_NAME } from '../store/sealed-columns.ts';
import { epsilonOfAccount, openAccounts, spentOn, type Account } from './account.ts';
import { requireDataset } from './budgets.ts';
import { pastOf, type Past } from './doubts.ts';
import { isBehindMark } from './in-privacy-ledger.ts';
import { familyOf } from './lineage.ts';
import { leastSettled } from './settle.ts';
import { readUnit, spellUnit } from './spelled.ts';
import { eventsFor, type TallyRow } from './tally-rows.ts';
import { uncountedOf } from './uncounted.ts';

/** The account of the dataset called `name`, or of each that has one. Throws CustodianError `not-found`. */
export async function privacyStatus(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  name?: string,
): Promise<PrivacyRow[]> {
  const artifacts = name === undefined ? await accounted(tx) : [await requireDataset(context, tx, name)];
  const rows: PrivacyRow[] = [];
  for (const artifact of artifacts) rows.push(await rowOf(context, tx, claimed, artifact));
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

/** Datasets with a budget, for federations alone, or with anything written down of them. */
async function accounted(tx: Tx): Promise<ArtifactId[]> {
  const rows = await tx
    .selectFrom('privacy_budget')
    .select('artifact')
    .union((also) => also.selectFrom('contract_only').select('artifact'))
    .union((also) => also.selectFrom('privacy_entry').select('artifact').where('kind', '<>', 'refused'))
    .execute();
  return rows.map((row) => row.artifact);
}

async function rowOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  artifact: ArtifactId,
): Promise<PrivacyRow> {
  const [account] = await openAccounts(tx, [artifact], 'read');
  const family = await familyOf(tx, artifact);
  const past = account?.past ?? (await pastOf(tx, artifact));
  const behind = await isBehindMark(context, tx, claimed);
  const flag = await tx
    .selectFrom('contract_only')
    .select('artifact')
    .where('artifact', '=', artifact)
    .executeTakeFirst();
  const names = await namesOf(context, tx, family);
  const uncounted = await uncountedOf(tx, family);
  return {
    // Of what was erased the account stays.
    name: names.get(artifact) ?? artifact,
    artifact,
    contractOnly: flag !== undefined,
    budget: await budgetView(tx, artifact),
    spent: account === undefined ? null : spentView(account, behind),
    doubt: await doubtView(context, tx, { artifact, past, behind }),
    settled: past.known === 'since' ? settledView(past) : null,
    family: family.flatMap((each) => (each === artifact ? [] : (names.get(each) ?? []))).toSorted(),
    contracts: account === undefined ? [] : contractsOf(account),
    uncounted: uncounted.map(({ artifact: used, ...row }) => ({
      ...row,
      dataset: used === artifact ? null : (names.get(used) ?? null),
    })),
  };
}

async function doubtView(
  { clock }: CustodianContext,
  tx: Tx,
  { artifact, past, behind }: { artifact: ArtifactId; past: Past; behind: boolean },
): Promise<PrivacyRow['doubt']> {
  const least = await leastSettled(tx, artifact);
  if (past.known === 'not') return { cause: past.doubt.cause, at: epochMs(past.doubt.at), least };
  return behind ? { cause: 'rolled-back', at: clock.now(), least } : null;
}

function settledView({ floor, at }: { floor: { epsilon: number; delta: number }; at: number }): PrivacyRow['settled'] {
  return { epsilon: decimalOf(floor.epsilon), delta: decimalOf(floor.delta), at: epochMs(at) };
}

async function budgetView(tx: Tx, artifact: ArtifactId): Promise<PrivacyRow['budget']> {
  const row = await tx
    .selectFrom('privacy_budget')
    .select(['unit', 'epsilon', 'delta', 'device', 'at'])
    .where('artifact', '=', artifact)
    .executeTakeFirst();
  return row === undefined ? null : { ...row, unit: readUnit(row.unit), at: epochMs(row.at) };
}

function spentView(account: Account, behind: boolean): PrivacyRow['spent'] {
  const { budget, past, rows } = account;
  const epsilon = behind ? Infinity : epsilonOfAccount(account);
  const ours = rows.filter(({ grade }) => grade === 'enforced');
  const enforced = Number.isFinite(epsilon) ? epsilonSpent(spentOn({ past, rows: ours }), budget.delta) : Infinity;
  return { epsilon: told(epsilon), enforced: told(enforced), left: Math.max(0, budget.epsilon - epsilon) };
}

/** Each contract by unit and grade, as it is for each party that it was told for. */
function contractsOf(account: Account): PrivacyRow['contracts'] {
  const groups = Map.groupBy(
    account.rows.filter(({ contract }) => contract !== ''),
    ({ contract, unit, grade }) => `${contract} ${grade} ${spellUnit(unit)}`,
  );
  return [...groups.values()].flatMap((rows) => {
    const [first] = rows;
    if (first === undefined || first.contract === '') return [];
    const { contract, unit, grade } = first;
    const views = (['outsiders', 'member', 'others'] as const)
      .filter((party) => rows.some((row) => row.party === party))
      .map((party) => [party, epsilonFor(account, rows, party)] as const);
    const rounds = Math.max(...rows.filter(({ party }) => party === 'budget').map(({ times }) => times));
    const epsilon = epsilonFor(account, rows, 'budget');
    return [{ contract, rounds, unit, grade, epsilon, ...Object.fromEntries(views) }];
  });
}

function epsilonFor({ budget }: Account, rows: readonly TallyRow[], party: PrivacyParty): number | null {
  const spent: Spent = { floor: undefined, tally: eventsFor(rows, party) };
  return told(rows.every(({ unit }) => hides(unit, budget.unit)) ? epsilonSpent(spent, budget.delta) : Infinity);
}

function told(epsilon: number): number | null {
  return Number.isFinite(epsilon) ? epsilon : null;
}

async function namesOf(
  { columns }: CustodianContext,
  tx: Tx,
  artifacts: readonly ArtifactId[],
): Promise<ReadonlyMap<ArtifactId, string>> {
  const rows = await tx
    .selectFrom('artifact')
    .select(['artifact', 'name_box'])
    .where('artifact', 'in', artifacts)
    .execute();
  return new Map(rows.map(({ artifact, name_box }) => [artifact, columns.open(ARTIFACT_NAME, artifact, name_box)]));
}
