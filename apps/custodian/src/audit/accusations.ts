import { canonicalBytes, type AgentId, type CustodianId, type Log, type OrgId } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { LogAccusation } from '@ringfence/protocol/payload';
import { sql } from 'kysely';
import type { RecordEvent } from '../ledger/record-event.ts';
import type { CustodianStore, Tx } from '../store/open-store.ts';

/** Where accusations are kept, and who is told. */
export interface AccusationParts {
  readonly store: CustodianStore;
  readonly record: RecordEvent;
  readonly log: Log;
}

type WitnessId = AgentId | CustodianId;

/** Beside its first, so many of a witness are kept: an agent that is what it should be finds less in all its life. */
export const NEWEST_KEPT = 19;

/**
 * Keeps what a witness has against a log, tells of it in the ledger, in this process's own log and in its metrics; the same again is kept once.
 * Of a witness that finds ever more its first and its newest are kept, all are counted, and of those beyond that each doubling is told.
 */
export async function keepAccusation(
  { store, record, log }: AccusationParts,
  org: OrgId,
  witness: WitnessId,
  accusation: LogAccusation,
): Promise<void> {
  const { at, ...found } = accusation;
  const digest = sha256Hex(canonicalBytes(found));
  await store.withOrg(org, async (tx) => {
    const place = await nextPlace(tx, org, witness);
    const kept = await tx
      .insertInto('audit_accusation')
      .values({ org, witness, digest, accusation: JSON.stringify(accusation), at, place })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (kept.numInsertedOrUpdatedRows !== 1n) return;
    await tx.updateTable('audit_accuser').set({ filed: place }).where('witness', '=', witness).execute();
    await tx
      .deleteFrom('audit_accusation')
      .where('witness', '=', witness)
      .where('place', '>', 1)
      .where('place', '<=', place - NEWEST_KEPT)
      .execute();
    if (!isTold(place)) return;
    const { fault, index } = accusation;
    await record(tx, org, { type: 'log-accused', witness, fault, index, evidence: digest });
    log.error('audit.accused', { peer: witness, code: fault, seq: index });
  });
}

/** One at a time of each witness: the row is locked until the end. */
async function nextPlace(tx: Tx, org: OrgId, witness: WitnessId): Promise<number> {
  const { filed } = await tx
    .insertInto('audit_accuser')
    .values({ org, witness, filed: 0 })
    .onConflict((conflict) =>
      conflict.columns(['org', 'witness']).doUpdateSet({ filed: sql<number>`audit_accuser.filed` }),
    )
    .returning('filed')
    .executeTakeFirstOrThrow();
  return filed + 1;
}

/** Who writes without end adds to the ledger with the logarithm of it. */
function isTold(place: number): boolean {
  return place <= NEWEST_KEPT + 1 || Number.isInteger(Math.log2(place));
}

/** How many accusations were ever filed. */
export async function countAccusations({ store }: Pick<AccusationParts, 'store'>, org: OrgId): Promise<number> {
  const { filed } = await store.withOrg(
    org,
    (tx) =>
      tx
        .selectFrom('audit_accuser')
        .select(sql<string>`coalesce(sum(filed), 0)`.as('filed'))
        .executeTakeFirstOrThrow(),
    { readOnly: true },
  );
  return Number(filed);
}
