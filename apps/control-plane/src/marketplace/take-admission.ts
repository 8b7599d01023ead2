import { epochMs, type AgentId, type OrgId } from '@ringfence/base';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { raiseInventory, readOffersAgain } from '../placement/inventory.ts';
import type { Tx } from '../store/open-store.ts';
import { stopAtAgent } from './stop-at-agent.ts';

/** How long a job may take to end on a machine that is admitted no more. */
const STOP_WITHIN_MS = 120_000;

/**
 * Takes a custodian's word on a provider's machine: whose it is, where it stands, and until when it gets jobs. One that has ended gets none,
 * and what runs there is told to stop. Nothing starts by this word: custodian and agent judge by the keyring.
 */
export async function takeAdmission(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  { agent, provider, jurisdictions, until }: MessageBody<'admission'>,
): Promise<void> {
  const counts = until > context.clock.now();
  const admitted_until = counts ? until : epochMs(0);
  const known = await tx
    .updateTable('party')
    .set({ provider, places: JSON.stringify(jurisdictions), admitted_until })
    .where('id', '=', agent)
    .where('role', '=', 'agent')
    .where('removed', '=', false)
    .returning('id')
    .executeTakeFirst();
  if (known === undefined) return;
  await context.record(tx, org, { type: 'admission-noted', agent, provider, until: admitted_until });
  await readOffersAgain(tx, { agent });
  if (counts) await raiseInventory(tx, org);
  else await drainAdmitted(context, tx, { org, agent });
  await context.changes.wake(tx, 'place', org);
}

/** Ends an admission whose time has come: no clock that goes back makes it count again, only another word of the custodian. */
export async function endAdmission(
  context: ControlPlaneContext,
  tx: Tx,
  { org, agent }: { readonly org: OrgId; readonly agent: AgentId },
): Promise<void> {
  const ended = await tx
    .updateTable('party')
    .set({ admitted_until: 0 })
    .where('id', '=', agent)
    .where('admitted_until', '>', 0)
    .where('admitted_until', '<=', context.clock.now())
    .returning('id')
    .executeTakeFirst();
  if (ended === undefined) return;
  await context.record(tx, org, { type: 'admission-ended', agent });
  await readOffersAgain(tx, { agent });
  await drainAdmitted(context, tx, { org, agent });
  await context.changes.wake(tx, 'place', org);
}

function drainAdmitted(
  context: ControlPlaneContext,
  tx: Tx,
  at: { readonly org: OrgId; readonly agent: AgentId },
): Promise<void> {
  return stopAtAgent(context, tx, { ...at, graceMs: STOP_WITHIN_MS }, 'admission');
}
