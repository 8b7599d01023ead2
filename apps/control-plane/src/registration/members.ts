import type { AgentId, CustodianId, OrgId } from '@ringfence/base';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { markAgents } from '../locks/mark-agents.ts';
import type { Tx } from '../store/open-store.ts';

type Member = MessageBody<'member'>;
type Custodian = { readonly org: OrgId; readonly id: AgentId | CustodianId };

/** Takes a custodian's word on whose signatures its organisation vouches for. An id that was ever named keeps its key; a removed one stays removed. */
export function takeMember(context: ControlPlaneContext, tx: Tx, by: Custodian, member: Member): Promise<void> {
  return member.op === 'add' ? addMember(context, tx, by, member) : removeMember(context, tx, by, member);
}

async function addMember(
  context: ControlPlaneContext,
  tx: Tx,
  { org }: Custodian,
  { id, sign, keyringSeq, tier, site }: Extract<Member, { op: 'add' }>,
): Promise<void> {
  const added = await tx
    .insertInto('party')
    .values({
      id,
      org,
      role: id.startsWith('dev_') ? 'device' : 'agent',
      sign_key: sign,
      keyring_seq: keyringSeq,
      tier: tier ?? null,
      site: site ?? null,
      locked: null,
      journal_seq: null,
      journal_hash: null,
      replica: null,
      seen_at: null,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (added === undefined) return;
  await context.record(tx, org, { type: 'party-added', party: id, keyringSeq });
  // Its site may be locked.
  if (site !== undefined) await markAgents(context, tx, org);
}

async function removeMember(
  context: ControlPlaneContext,
  tx: Tx,
  { org }: Custodian,
  { id, keyringSeq }: Extract<Member, { op: 'remove' }>,
): Promise<void> {
  const removed = await tx
    .updateTable('party')
    .set({ removed: true, seen_at: null })
    .where('id', '=', id)
    .where('removed', '=', false)
    .returning('id')
    .executeTakeFirst();
  if (removed === undefined) return;
  await context.record(tx, org, { type: 'party-removed', party: id, keyringSeq });
  await context.changes.wake(tx, 'link', `${id} locked`);
}
