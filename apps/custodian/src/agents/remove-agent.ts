import type { AgentId } from '@ringfence/base';
import { KeyringError, type RemovalReason } from '@ringfence/keyring';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { changeKeyring } from '../keyring/change-keyring.ts';

/** Removes an agent for good: its links are cut, its frames refused, its id and keys never come back. Throws CustodianError `not-found`. */
export async function removeAgent(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  agent: AgentId,
  reason: RemovalReason,
): Promise<void> {
  try {
    await changeKeyring(context, claimed, ({ sign }) => sign({ kind: 'remove', subject: agent, reason }));
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CustodianError('not-found', 'there is no such agent, or it was removed', {
      cause,
      next: 'see `ringfence agent ls`',
    });
  }
}
