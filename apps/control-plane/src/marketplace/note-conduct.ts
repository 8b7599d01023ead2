import { epochMs, type AgentId, type OrgId } from '@ringfence/base';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { raiseInventory } from '../placement/inventory.ts';
import type { Tx } from '../store/open-store.ts';
import { isAvoided } from './is-barred.ts';
import { stepConduct, type ConductEvent } from './step-avoidance.ts';

/** Writes down what the agent of an offer did, and avoids the offer for a time where that is due. */
export async function noteConduct(
  context: ControlPlaneContext,
  tx: Tx,
  { org, agent }: { readonly org: OrgId; readonly agent: AgentId },
  event: ConductEvent,
): Promise<void> {
  const row = await tx
    .selectFrom('offer')
    .select(['offer', 'strikes', 'struck_by', 'avoidances', 'avoided_until'])
    .where('agent', '=', agent)
    .executeTakeFirst();
  if (row === undefined) return;
  const now = context.clock.now();
  const { strikes, struck_by: struckBy, avoidances } = row;
  const step = stepConduct({ strikes, struckBy, avoidances, avoided: isAvoided(row.avoided_until, now) }, event);
  if (step === undefined) return;
  const counts = { strikes: step.strikes, struck_by: step.struckBy, avoidances: step.avoidances };
  if (step.avoid === undefined) {
    await tx.updateTable('offer').set(counts).where('agent', '=', agent).execute();
    return;
  }
  const { reason, forMs } = step.avoid;
  const until = epochMs(now + forMs);
  await tx
    .updateTable('offer')
    .set((column) => ({
      ...counts,
      avoided_until: until,
      avoided_for: reason,
      row_version: column('row_version', '+', 1),
    }))
    .where('agent', '=', agent)
    .execute();
  await context.record(tx, org, { type: 'offer-avoided', offer: row.offer, agent, reason, until });
}

/** Lets an offer whose time of avoidance is over get jobs again: those that wait for room are looked at. */
export async function endAvoidance(
  context: ControlPlaneContext,
  tx: Tx,
  { org, agent }: { readonly org: OrgId; readonly agent: AgentId },
): Promise<void> {
  const row = await tx
    .selectFrom('offer')
    .select(['offer', 'avoided_until'])
    .where('agent', '=', agent)
    .executeTakeFirst();
  if (row === undefined || row.avoided_until === null || isAvoided(row.avoided_until, context.clock.now())) return;
  await tx
    .updateTable('offer')
    .set((column) => ({ avoided_until: null, avoided_for: null, row_version: column('row_version', '+', 1) }))
    .where('agent', '=', agent)
    .execute();
  await context.record(tx, org, { type: 'offer-avoided-no-more', offer: row.offer, agent });
  await raiseInventory(tx, org);
  await context.changes.wake(tx, 'place', org);
}
