import type { DeviceId, OrgId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { checkWithdrawal, ownersOfData, partyStandings, readContract, type Keyring } from '@ringfence/keyring';
import type { ContractAnswer } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { keptContract, writeWithdrawal, type KeptContract } from './contract-rows.ts';
import { contractRowOf } from './contract-standing.ts';

/**
 * Keeps a party's word that it takes part no longer, this organisation's or another's that was passed on: no round of this organisation's agents begins after that, where
 * it ends the contract. A second one changes nothing. Throws CustodianError `not-found`, `bad-statement`.
 */
export async function withdrawContract(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { contract, withdrawal: statement, device }: { contract: Digest | undefined; withdrawal: Envelope; device: DeviceId },
): Promise<ContractAnswer> {
  const { org } = claimed;
  return context.store.withOrg(org, async (tx) => {
    const before = contract === undefined ? undefined : await keptContract(context, tx, contract, 'lock');
    if (before === undefined)
      throw new CustodianError('not-found', 'there is no such contract here', { next: 'see `ringfence contract ls`' });
    const { party, digest } = openWithdrawal(context, claimed, before, statement);
    if (await writeWithdrawal(context, tx, org, { contract: before.contract, party, statement }))
      await context.record(tx, org, {
        type: 'contract-withdrawn',
        contract: before.contract,
        party,
        withdrawal: digest,
        device,
      });
    const kept = (await keptContract(context, tx, before.contract)) ?? before;
    return { row: contractRowOf(context, claimed, kept), file: kept.file };
  });
}

function openWithdrawal(
  { clock }: CustodianContext,
  { keyring: own }: ClaimedOrganisation,
  { contract, file }: KeptContract,
  statement: Envelope,
): { party: OrgId; digest: Digest } {
  const now = clock.now();
  const keyrings = new Map<OrgId, Keyring>(
    partyStandings(file, own, now).flatMap(({ party, keyring }) =>
      keyring === undefined ? [] : [[party.org, keyring] as const],
    ),
  );
  const dataOwners = readContract(file).claimed.clients.flatMap(({ org, dataset }) => {
    const keyring = keyrings.get(org);
    return keyring === undefined ? [] : ownersOfData(keyring, dataset.owner);
  });
  const decision = checkWithdrawal(statement, contract, { keyrings, dataOwners, now });
  if (decision.allow) return { party: decision.withdrawal.body.org, digest: decision.withdrawal.digest };
  throw new CustodianError('bad-statement', `the withdrawal does not count: ${decision.reasons.join(', ')}`, {
    next: 'an owner or officer of the party signs it, or who owns its data in the contract',
  });
}
