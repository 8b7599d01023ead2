import type { AgentId, OfferId, OrgId } from '@ringfence/base';
import { MOST_OFFERS, type MessageBody } from '@ringfence/protocol/messages';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { freeResources } from './free-resources.ts';
import { raiseInventory } from './inventory.ts';
import { storedOffers } from './offer-rows.ts';
import { placementOffer } from './placement-offer.ts';

/** Takes an agent's offer in place of its former one, under the id that it has from its join on; an older epoch, another offer id than before, one that another agent uses, or one more than an organisation may have, changes nothing. */
export async function replaceOffer(
  context: ControlPlaneContext,
  tx: Tx,
  of: { org: OrgId; agent: AgentId },
  offer: MessageBody<'offer'>,
): Promise<void> {
  const row = {
    offer: offer.offer,
    epoch: offer.epoch,
    body: JSON.stringify(offer),
    ...(await freeResources(tx, of.agent, offer)),
  };
  const before = await tx
    .selectFrom('offer')
    .select(['offer', 'epoch'])
    .where('agent', '=', of.agent)
    .executeTakeFirst();
  if (before !== undefined && (before.epoch >= offer.epoch || before.offer !== offer.offer)) return;
  const taken = await tx
    .selectFrom('offer')
    .select('agent')
    .where('offer', '=', offer.offer)
    .where('agent', '!=', of.agent)
    .executeTakeFirst();
  if (taken !== undefined) return;
  if (before === undefined && (await isFull(tx, MOST_OFFERS))) {
    await context.record(tx, of.org, { type: 'offer-refused', offer: offer.offer, agent: of.agent });
    return;
  }
  if (before === undefined)
    await tx
      .insertInto('offer')
      .values({ ...row, org: of.org, agent: of.agent })
      .execute();
  else
    await tx
      .updateTable('offer')
      .set((column) => ({ ...row, row_version: column('row_version', '+', 1) }))
      .where('agent', '=', of.agent)
      .execute();
  const { epoch, tier } = offer;
  await context.record(tx, of.org, { type: 'offer-replaced', offer: offer.offer, agent: of.agent, epoch, tier });
  await noteQuarantine(context, tx, of, offer.offer);
  await raiseInventory(tx, of.org);
  await context.changes.wake(tx, 'place', of.org);
}

/** Whether an organisation has `most` offers already. */
export async function isFull(tx: Tx, most: number): Promise<boolean> {
  const last = await tx
    .selectFrom('offer')
    .select('offer')
    .offset(most - 1)
    .limit(1)
    .executeTakeFirst();
  return last !== undefined;
}

/** An offer that contradicts itself is kept as it is, gets no jobs, and its organisation can read why. */
async function noteQuarantine(
  context: ControlPlaneContext,
  tx: Tx,
  { org, agent }: { org: OrgId; agent: AgentId },
  offer: OfferId,
): Promise<void> {
  const [row] = await storedOffers(tx, [offer]);
  if (row === undefined) return;
  const read = placementOffer(row, { online: true, locked: false, draining: false });
  const [first] = read.allow ? [] : read.reasons;
  if (first === undefined) return;
  const { field, fault } = first;
  await context.record(tx, org, { type: 'offer-quarantined', offer, agent, field: field.slice(0, 64), fault });
}
