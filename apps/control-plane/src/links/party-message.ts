import type { AgentId } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import type { MessageBody } from '@ringfence/protocol/messages';
import { ControlPlaneError } from '../control-plane-error.ts';
import { reportAttempt } from '../jobs/attempt-report.ts';
import { changeJob, PLACE_CHANNEL } from '../jobs/change-job.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { addGpus, heldBy } from '../jobs/live-attempt.ts';
import type { Tx } from '../store/open-store.ts';
import { holdConnection, LINK_CHANNEL, lockParty, type Connected } from './party-link.ts';

/** Commits a durable message with its id: it is processed once, whichever replica it reached. Throws ControlPlaneError `conflict` for an old connection. */
export async function takeMessage(
  context: ControlPlaneContext,
  connected: Connected,
  message: DurablePartyMessage,
  mid: number,
): Promise<void> {
  const { party } = connected;
  await context.store.withOrg(party.org, async (tx) => {
    const held = await holdConnection(tx, connected);
    if (held === undefined) throw new ControlPlaneError('conflict', 'the party has a newer connection');
    if (mid <= held.received) return;
    await apply(context, tx, connected, message);
    await tx
      .updateTable('party')
      .set({ received_mid: mid, seen_at: context.clock.now() })
      .where('id', '=', party.id)
      .execute();
    context.fault('message-before-commit');
    if (message.name === 'committed') context.fault('committed-before-commit');
  });
  context.fault('message-after-commit');
  if (message.name === 'committed') context.fault('committed-after-commit');
}

async function apply(
  context: ControlPlaneContext,
  tx: Tx,
  { party }: Connected,
  message: DurablePartyMessage,
): Promise<void> {
  const { org } = party;
  switch (message.name) {
    case 'offer':
      return replaceOffer(context, tx, { org, agent: party.id as AgentId }, message.body);
    case 'attempt-status':
      return reportAttempt(context, tx, { org, agent: party.id as AgentId }, message.body);
    case 'member':
      return message.body.op === 'add'
        ? addMember(context, tx, party, message.body)
        : removeMember(context, tx, party, message.body);
    case 'committed':
      await changeJob(context, tx, { org, job: message.body.job }, { kind: 'committed' });
      return;
    case 'lock':
      return lockParty(context, tx, { id: message.body.agent, org }, message.body.reason);
    default:
      return message satisfies never;
  }
}

async function replaceOffer(
  context: ControlPlaneContext,
  tx: Tx,
  of: { org: Connected['party']['org']; agent: AgentId },
  offer: MessageBody<'offer'>,
): Promise<void> {
  const before = await tx
    .selectFrom('offer')
    .select(['offer', 'epoch'])
    .where('agent', '=', of.agent)
    .forUpdate()
    .executeTakeFirst();
  if (before !== undefined && (before.epoch >= offer.epoch || before.offer !== offer.offer)) return;
  const held = await heldBy(tx, of.agent);
  const free = {
    free_cpu_milli: Math.max(0, offer.cpuMilli - held.cpu_milli),
    free_memory_bytes: Math.max(0, offer.memoryBytes - held.memory_bytes),
    free_disk_bytes: Math.max(0, offer.diskBytes - held.disk_bytes),
    free_gpus: JSON.stringify(addGpus(offer.gpus, held.gpus, -1)),
  };
  await tx
    .insertInto('offer')
    .values({
      offer: offer.offer,
      org: of.org,
      agent: of.agent,
      epoch: offer.epoch,
      body: JSON.stringify(offer),
      ...free,
    })
    .onConflict((conflict) =>
      conflict.column('offer').doUpdateSet((column) => ({
        epoch: offer.epoch,
        body: JSON.stringify(offer),
        ...free,
        row_version: column.ref('offer.row_version'),
      })),
    )
    .execute();
  await tx
    .updateTable('offer')
    .set((column) => ({ row_version: column('row_version', '+', 1) }))
    .where('offer', '=', offer.offer)
    .execute();
  await context.record(tx, of.org, {
    type: 'offer-replaced',
    offer: offer.offer,
    agent: of.agent,
    epoch: offer.epoch,
    tier: offer.tier,
  });
  await context.store.notify(tx, PLACE_CHANNEL);
}

type Member = MessageBody<'member'>;

async function addMember(
  context: ControlPlaneContext,
  tx: Tx,
  by: Connected['party'],
  member: Extract<Member, { op: 'add' }>,
): Promise<void> {
  const role = member.id.startsWith('dev_') ? 'device' : 'agent';
  const added = await tx
    .insertInto('party')
    .values({
      id: member.id,
      org: by.org,
      role,
      sign_key: member.sign,
      keyring_seq: member.keyringSeq,
      locked: null,
      journal_seq: null,
      journal_hash: null,
      replica: null,
      seen_at: null,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (added !== undefined)
    await context.record(tx, by.org, { type: 'party-added', party: member.id, keyringSeq: member.keyringSeq });
}

async function removeMember(
  context: ControlPlaneContext,
  tx: Tx,
  by: Connected['party'],
  member: Extract<Member, { op: 'remove' }>,
): Promise<void> {
  const removed = await tx
    .updateTable('party')
    .set({ removed: true, seen_at: null })
    .where('id', '=', member.id)
    .where('removed', '=', false)
    .returning('id')
    .executeTakeFirst();
  if (removed === undefined) return;
  await context.record(tx, by.org, { type: 'party-removed', party: member.id, keyringSeq: member.keyringSeq });
  await context.store.notify(tx, LINK_CHANNEL, `${member.id} locked`);
}
