import type { AgentId } from '@ringfence/base';
import { KeyringError } from '@ringfence/keyring';
import type { admissionRenewal } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { changeKeyring } from '../keyring/change-keyring.ts';

/** Gives a provider's machine the new papers that somebody brought for it. Throws CustodianError `not-found`, `bad-statement`. */
export async function renewAdmission(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  agent: AgentId,
  { admitted }: z.output<typeof admissionRenewal>,
): Promise<void> {
  if (claimed.keyring.agent(agent) === undefined)
    throw new CustodianError('not-found', 'there is no such agent', { next: 'see `ringfence agent ls`' });
  try {
    await changeKeyring(context, claimed, ({ sign }) => sign({ kind: 'renew-admission', agent, admitted }));
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CustodianError('bad-statement', cause.message, {
      cause,
      next: 'see docs/protocol/marketplace.md#renewal',
    });
  }
}
