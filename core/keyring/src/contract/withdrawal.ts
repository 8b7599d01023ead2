import type { DeviceId, EpochMs, OrgId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { Decision } from '@ringfence/policy';
import type { Contract } from '@ringfence/protocol/statements';
import { CLOCK_SKEW_MS, type Keyring } from '../chain/keyring.ts';
import { tryRead, tryVerify } from '../admission/open.ts';
import type { Verified } from '../statement.ts';
import { maySignContracts } from './contract-signers.ts';
import { countGroups } from './counted-groups.ts';

/** Why a withdrawal does not count. */
export type WithdrawalReason = 'malformed' | 'not-a-party' | 'signature' | 'not-authorised' | 'contract' | 'not-yet';

/**
 * Whether `envelope` takes its signer's organisation out of `contract`: the word of an owner or officer, or of an owner of its data in it. `keyrings` are those of the
 * parties ({@link HeldContract}); `dataOwners` devices that own data in the contract.
 */
export function checkWithdrawal(
  envelope: Envelope,
  contract: Digest,
  by: {
    readonly keyrings: ReadonlyMap<OrgId, Keyring>;
    readonly dataOwners: readonly DeviceId[];
    readonly now: EpochMs;
  },
): Decision<WithdrawalReason, { withdrawal: Verified<'contract-withdrawal'> }> {
  const read = tryRead('contract-withdrawal', envelope);
  if (read === undefined) return { allow: false, reasons: ['malformed'] };
  const keyring = by.keyrings.get(read.claimed.org);
  if (keyring === undefined) return { allow: false, reasons: ['not-a-party'] };
  const withdrawal = tryVerify(read, ({ device }) => {
    const key = keyring.deviceKey(device);
    return key === undefined ? [] : [key];
  });
  if (withdrawal === undefined) return { allow: false, reasons: ['signature'] };
  const { body } = withdrawal;
  const holds: readonly (readonly [WithdrawalReason, boolean])[] = [
    ['not-authorised', maySignContracts(keyring, body.device) || by.dataOwners.includes(body.device)],
    ['contract', body.contract === contract],
    ['not-yet', body.at <= by.now + CLOCK_SKEW_MS],
  ];
  const reasons = holds.flatMap(([reason, good]) => (good ? [] : [reason]));
  return reasons.length === 0 ? { allow: true, withdrawal } : { allow: false, reasons };
}

/**
 * Whether a contract has ended for `own` once the parties of `withdrawn` have left: when it left itself, when the contract says that one who leaves ends it, or when those
 * who stay are too few, or without the aggregator.
 */
export function endsWithout(contract: Contract, withdrawn: ReadonlySet<OrgId>, own: OrgId): boolean {
  if (withdrawn.size === 0) return false;
  if (contract.withdrawal === 'stop' || withdrawn.has(own) || withdrawn.has(contract.aggregator.org)) return true;
  const staying = contract.clients.filter(({ org }) => !withdrawn.has(org)).map(({ agent }) => agent);
  return countGroups(contract, staying) < contract.minOrganisations;
}
