import type { ArtifactId } from '@ringfence/base';
import { epsilonSpent } from '@ringfence/dp/ledger';
import { numberOf, type Decimal } from '@ringfence/protocol/federation';
import type { PrivacyBudgetStatement } from '@ringfence/protocol/statements';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { familyOf } from './lineage.ts';
import { eventsFor, readTally } from './tally-rows.ts';

/** A bound as the ledger has it. */
type WrittenBound = NonNullable<PrivacyBudgetStatement['settled']>;

/**
 * Takes everything that was done to a dataset before the present era for one bound: at least the budget of then, which was kept to, and at least what is
 * known; more where the owner and officers say so. Throws CustodianError `conflict`.
 */
export async function settle(
  { clock }: Pick<CustodianContext, 'clock'>,
  tx: Tx,
  {
    artifact,
    device,
    settled,
  }: Pick<PrivacyBudgetStatement, 'artifact' | 'device'> & { readonly settled: WrittenBound },
): Promise<void> {
  const newest = await tx
    .selectFrom('privacy_doubt')
    .select(['era', 'settled_at'])
    .where('artifact', '=', artifact)
    .orderBy('era', 'desc')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  if (newest === undefined || newest.settled_at !== null)
    throw new CustodianError('conflict', 'nothing about this dataset is in doubt', {
      next: 'see `ringfence dp status`',
    });
  const least = await leastSettled(tx, artifact);
  if ((least !== null && !isAtLeast(settled, least)) || !(await coversKnown(tx, artifact, settled)))
    throw new CustodianError('conflict', 'at least the budget of then, and what is known, has to be taken for spent', {
      next: 'leave --epsilon and --delta out, or name larger ones',
    });
  await tx
    .updateTable('privacy_doubt')
    .set({ ...settled, device, settled_at: clock.now() })
    .where('artifact', '=', artifact)
    .where('era', '=', newest.era)
    .execute();
}

/** The largest budget of each time that a dataset was doubted; null where it had none. */
export async function leastSettled(tx: Tx, artifact: ArtifactId): Promise<WrittenBound | null> {
  const rows = await tx
    .selectFrom('privacy_doubt')
    .select(['least_epsilon', 'least_delta'])
    .where('artifact', '=', artifact)
    .execute();
  return rows.reduce<WrittenBound | null>((least, { least_epsilon: epsilon, least_delta: delta }) => {
    if (epsilon === null || delta === null) return least;
    if (least === null) return { epsilon, delta };
    return { epsilon: larger(least.epsilon, epsilon), delta: larger(least.delta, delta) };
  }, null);
}

function larger(one: Decimal, other: Decimal): Decimal {
  return numberOf(one) >= numberOf(other) ? one : other;
}

function isAtLeast(one: WrittenBound, other: WrittenBound): boolean {
  return numberOf(one.epsilon) >= numberOf(other.epsilon) && numberOf(one.delta) >= numberOf(other.delta);
}

/** Against what was counted event by event in every era that there is a record of. */
async function coversKnown(tx: Tx, artifact: ArtifactId, bound: WrittenBound): Promise<boolean> {
  const rows = await readTally(tx, await familyOf(tx, artifact), 0);
  const known = epsilonSpent({ floor: undefined, tally: eventsFor(rows, 'budget') }, numberOf(bound.delta));
  return known <= numberOf(bound.epsilon);
}
