import { canonicalBytes, type AgentId, type CustodianId, type Log, type OrgId } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { LogAccusation } from '@ringfence/protocol/payload';
import type { RecordEvent } from '../ledger/record-event.ts';
import type { CustodianStore } from '../store/open-store.ts';

/** Where accusations are kept, and who is told. */
export interface AccusationParts {
  readonly store: CustodianStore;
  readonly record: RecordEvent;
  readonly log: Log;
}

/** Keeps what a witness has against a log, tells of it in the ledger, in this process's own log and in its metrics; the same again is kept once. */
export async function keepAccusation(
  { store, record, log }: AccusationParts,
  org: OrgId,
  witness: AgentId | CustodianId,
  accusation: LogAccusation,
): Promise<void> {
  const { at, ...found } = accusation;
  const digest = sha256Hex(canonicalBytes(found));
  await store.withOrg(org, async (tx) => {
    const kept = await tx
      .insertInto('audit_accusation')
      .values({ org, witness, digest, accusation: JSON.stringify(accusation), at })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (kept.numInsertedOrUpdatedRows !== 1n) return;
    const { fault, index } = accusation;
    await record(tx, org, { type: 'log-accused', witness, fault, index, evidence: digest });
    log.error('audit.accused', { peer: witness, code: fault, seq: index });
  });
}

/** All that witnesses found, oldest first. */
export async function listAccusations(
  { store }: Pick<AccusationParts, 'store'>,
  org: OrgId,
): Promise<{ witness: AgentId | CustodianId; accusation: LogAccusation }[]> {
  return store.withOrg(
    org,
    (tx) => tx.selectFrom('audit_accusation').select(['witness', 'accusation']).orderBy('at').limit(100).execute(),
    { readOnly: true },
  );
}
