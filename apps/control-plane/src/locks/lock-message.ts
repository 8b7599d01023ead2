import type { OrgId } from '@ringfence/base';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { lockParty } from '../links/party-link.ts';
import type { Tx } from '../store/open-store.ts';
import { takeWord } from './locks.ts';

/** A custodian's word that an agent is removed, or that nothing of it counts until the custodian says otherwise. */
export async function takeLockMessage(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  { agent, reason }: MessageBody<'lock'>,
): Promise<void> {
  if (reason === 'removed') return lockParty(context, tx, { id: agent, org }, reason);
  return takeWord(context, tx, org, { target: agent, locked: true, until: null, source: 'custodian' });
}
