import type { ArtifactId, DeviceId } from '@ringfence/base';
import { promisesAsMuch, type PrivacyBudget } from '@ringfence/dp/ledger';
import { numberOf, type Decimal } from '@ringfence/protocol/federation';
import type { privacyBudgetRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { artifactNamed } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { requireDatasetOwner } from '../release/dataset-owners.ts';
import type { Tx } from '../store/open-store.ts';
import { isOfUnit, openAccounts } from './account.ts';
import { noteEarlierObjects } from './dataset-objects.ts';
import { noteEarlierOutputs } from './lineage.ts';
import { recordEarlierUses } from './record-use.ts';
import { readUnit, spellUnit } from './spelled.ts';

type Wish = z.output<typeof privacyBudgetRequest>;

/**
 * Says what may be lost of a dataset. A first budget also looks for datasets that share objects with it, and writes down every start so far as a release
 * that was not counted. Throws CustodianError `not-found`, `not-authorised`, `conflict`.
 */
export async function setBudget(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { name, device, ...wish }: Wish & { readonly device: DeviceId },
): Promise<void> {
  const { org } = claimed;
  const artifact = await requireDataset(context, tx, name);
  await requireDatasetOwner(context, tx, claimed, { artifact, device });
  const before = await budgetOf(tx, artifact);
  const unit = spellUnit(wish.unit);
  if (before !== undefined && !promisesAsMuch(inNumbers(wish), before)) throw raised();
  const { epsilon, delta } = wish;
  // Later than whatever was signed about the one before, which is not to count again.
  const at = Math.max(context.clock.now(), (before?.at ?? 0) + 1);
  const row = { unit, epsilon, delta, device, at };
  await tx
    .insertInto('privacy_budget')
    .values({ org, artifact, ...row })
    .onConflict((conflict) => conflict.column('artifact').doUpdateSet(row))
    .execute();
  if (before === undefined) {
    await noteEarlierOutputs(tx, { org, at: context.clock.now() });
    await noteEarlierObjects(context, tx, claimed);
    await recordEarlierUses(tx, claimed, artifact);
  }
  await requireUnit(tx, artifact);
  const { unit: named } = wish;
  await context.record(tx, org, { type: 'privacy-budget-set', artifact, unit: named.kind, epsilon, delta, device });
}

/** Throws CustodianError `conflict` where something that was done to a dataset does not hide the unit of its budget. */
export async function requireUnit(tx: Tx, artifact: ArtifactId): Promise<void> {
  const [account] = await openAccounts(tx, [artifact], 'read');
  if (account === undefined || isOfUnit(account)) return;
  throw new CustodianError('conflict', 'what was done to this dataset does not hide this unit', {
    next: 'see `ringfence dp status`, and name the unit that was hidden',
  });
}

/** The budget of a dataset, locked until `tx` ends. */
async function budgetOf(tx: Tx, artifact: ArtifactId): Promise<(PrivacyBudget & { readonly at: number }) | undefined> {
  const row = await tx
    .selectFrom('privacy_budget')
    .select(['unit', 'epsilon', 'delta', 'at'])
    .where('artifact', '=', artifact)
    .forUpdate()
    .executeTakeFirst();
  return row === undefined ? undefined : { ...inNumbers({ ...row, unit: readUnit(row.unit) }), at: row.at };
}

function inNumbers({ unit, epsilon, delta }: Pick<PrivacyBudget, 'unit'> & { epsilon: Decimal; delta: Decimal }) {
  return { unit, epsilon: numberOf(epsilon), delta: numberOf(delta) };
}

function raised(): CustodianError {
  return new CustodianError('conflict', 'a larger budget, or a smaller unit, lets more be lost than was promised', {
    next: 'its owner and officers sign that: `ringfence dp budget … --raise`',
  });
}

/** The dataset called `name`. Throws CustodianError `not-found`. */
export async function requireDataset(context: CustodianContext, tx: Tx, name: string): Promise<ArtifactId> {
  const found = await artifactNamed(context, tx, name);
  if (found !== undefined) return found;
  throw new CustodianError('not-found', 'there is no dataset of this name', {
    next: 'see `ringfence dataset ls`; names are case-sensitive',
  });
}
