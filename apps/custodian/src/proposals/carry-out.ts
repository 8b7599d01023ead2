import { KeyringError } from '@ringfence/keyring';
import { stepProposal } from '@ringfence/policy/assurance';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { changeKeyring } from '../keyring/change-keyring.ts';
import { keepRaise } from '../privacy-ledger/raise-budget.ts';
import { keepPolicy, useAccess } from '../rules/organisation-policy.ts';
import type { Tx } from '../store/open-store.ts';
import { recordTold, storeState, type KeptProposal } from './proposal-rows.ts';
import { proposalContext, requirementOf } from './proposal-terms.ts';

/**
 * Carries a proposal out that is ready, in the transaction that takes it, so that it happens once; whoever agreed is judged again by the
 * officers of this moment. One that cannot be carried out any more has failed. Throws what carrying it out throws.
 */
export async function carryOut(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  kept: KeptProposal,
): Promise<void> {
  const { store } = context;
  try {
    if (kept.kind === 'keyring')
      await changeKeyring(context, claimed, async ({ tx, append }) => {
        await take(context, tx, claimed, kept);
        await append(kept.statement);
      });
    else if (kept.kind === 'privacy-budget')
      await store.withOrg(claimed.org, async (tx) => {
        await take(context, tx, claimed, kept);
        await keepRaise(context, tx, claimed, { envelope: kept.statement, device: kept.device });
      });
    else {
      await store.withOrg(claimed.org, async (tx) => {
        await take(context, tx, claimed, kept);
        await keepPolicy(context, tx, claimed, { envelope: kept.statement, device: kept.device });
      });
      await useAccess(context, claimed);
    }
  } catch (error) {
    if (isVoid(error)) await fail(context, claimed, kept);
    throw error;
  }
}

async function take(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  kept: KeptProposal,
): Promise<void> {
  const terms = proposalContext(context, claimed, requirementOf(context, claimed, kept));
  const taken = stepProposal(kept.state, { type: 'taken', digest: kept.digest }, terms);
  if (!taken.allow)
    throw new CustodianError('proposed', 'the proposal is not ready any more', { next: 'see `ringfence proposal ls`' });
  const done = await storeState(tx, kept, { state: taken.state });
  await recordTold(context, tx, claimed.org, { kept: done, commands: taken.commands });
}

/** The keyring or the policy has moved on: the statement follows neither. */
function isVoid(error: unknown): boolean {
  return error instanceof KeyringError || (error instanceof CustodianError && VOID.includes(error.code));
}

const VOID: readonly CustodianError['code'][] = ['bad-statement', 'conflict'];

/** Where somebody else took it meanwhile, it has not failed. */
async function fail({ store }: CustodianContext, { org }: ClaimedOrganisation, kept: KeptProposal): Promise<void> {
  try {
    await store.withOrg(org, (tx) => storeState(tx, kept, { state: kept.state, outcome: 'failed' }));
  } catch (error) {
    if (!(error instanceof CustodianError) || error.code !== 'conflict') throw error;
  }
}
