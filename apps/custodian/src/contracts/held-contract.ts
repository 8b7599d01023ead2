import type { Digest } from '@ringfence/crypto/sign';
import type { HeldContract } from '@ringfence/keyring';
import type { Decision } from '@ringfence/policy';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { Tx } from '../store/open-store.ts';
import { keptContract, type KeptContract } from './contract-rows.ts';
import { contractStanding, type StandingReason } from './contract-standing.ts';

/** Why no grant and no round rests on a contract: it is not here, it ended, or it does not hold. */
export type ContractReason = StandingReason | { readonly code: 'unknown' };

/** A contract on which grants and rounds of this organisation may rest, or why none may; nobody withdraws from it until `tx` ends. */
export async function heldContract(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  contract: Digest,
): Promise<Decision<ContractReason, HeldContract & { readonly kept: KeptContract }>> {
  const kept = await keptContract(context, tx, contract, 'lock');
  if (kept === undefined) return { allow: false, reasons: [{ code: 'unknown' }] };
  const standing = contractStanding(context, claimed, kept);
  return standing.allow ? { ...standing, kept } : standing;
}
