import type { AgentId } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { ControlPlaneError } from '../control-plane-error.ts';
import { reportAttempt } from '../jobs/attempt-report.ts';
import { changeJob } from '../jobs/change-job.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { takeWish } from '../jobs/take-wish.ts';
import { replaceOffer } from '../placement/replace-offer.ts';
import { takeMember } from '../registration/members.ts';
import type { Tx } from '../store/open-store.ts';
import { holdConnection, lockParty, type Connected } from './party-link.ts';

/** Commits a durable message with its id: it is processed once, whichever replica it reached. Throws ControlPlaneError `conflict` for an old connection. */
export async function takeMessage(
  context: ControlPlaneContext,
  connected: Connected,
  message: DurablePartyMessage,
  mid: number,
): Promise<void> {
  const { party } = connected;
  await context.changes.run(party.org, async (tx) => {
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
    if (message.name === 'wanted') context.fault('wanted-before-commit');
  });
  context.fault('message-after-commit');
  if (message.name === 'committed') context.fault('committed-after-commit');
  if (message.name === 'wanted') context.fault('wanted-after-commit');
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
      return takeMember(context, tx, party, message.body);
    case 'committed':
      await changeJob(
        context,
        tx,
        { org, job: message.body.job },
        { kind: 'committed', attempt: message.body.attempt },
      );
      return;
    case 'wanted':
      return takeWish(context, tx, org, message.body);
    case 'lock':
      return lockParty(context, tx, { id: message.body.agent, org }, message.body.reason);
    default:
      return message satisfies never;
  }
}
