import type { OrgId } from '@ringfence/base';
import {
  checkContract,
  endsWithout,
  judgeContract,
  readContract,
  type ContractFault,
  type HeldContract,
} from '@ringfence/keyring';
import type { Decision } from '@ringfence/policy';
import type { ContractRow, ContractState } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import type { KeptContract } from './contract-rows.ts';

/** Faults that more signatures mend. */
const UNSIGNED: ReadonlySet<string> = new Set(['signature-missing', 'owner-signature-missing']);

/** Why a kept contract is of no use now: it ended, or does not hold. */
export type StandingReason = ContractFault | { readonly code: 'withdrawn'; readonly org?: OrgId };

/**
 * Whether a kept contract holds for this organisation now, by its keyring and what parties withdrew. Throws nothing: what is kept was well-formed when it came.
 */
export function contractStanding(
  { clock }: Pick<CustodianContext, 'clock'>,
  { keyring, org }: Pick<ClaimedOrganisation, 'keyring' | 'org'>,
  { file, withdrawals }: KeptContract,
): Decision<StandingReason, HeldContract> {
  return standingAfter(checkContract(file, { keyring, now: clock.now() }), org, { file, withdrawals });
}

function standingAfter(
  decision: Decision<ContractFault, HeldContract>,
  own: OrgId,
  { file, withdrawals }: Pick<KeptContract, 'file' | 'withdrawals'>,
): Decision<StandingReason, HeldContract> {
  const withdrawn = new Set(withdrawals.map(({ party }) => party));
  if (!endsWithout(readContract(file).claimed, withdrawn, own)) return decision;
  const left = [...withdrawn].map((party) => ({ code: 'withdrawn', org: party }) as const);
  return { allow: false, reasons: [...left, ...(decision.allow ? [] : decision.reasons)] };
}

/** A kept contract as members see it. */
export function contractRowOf(
  context: Pick<CustodianContext, 'clock'>,
  claimed: Pick<ClaimedOrganisation, 'keyring' | 'org'>,
  kept: KeptContract,
): ContractRow {
  const { contract, file, withdrawals } = kept;
  const { name, at, notAfter } = readContract(file).claimed;
  const { decision, standings } = judgeContract(file, { keyring: claimed.keyring, now: context.clock.now() });
  const standing = standingAfter(decision, claimed.org, kept);
  const faults = standing.allow ? [] : standing.reasons;
  return {
    contract,
    name,
    state: stateOf(faults.map(({ code }) => code)),
    at,
    notAfter,
    parties: standings.map(({ party, signers }) => ({
      org: party.org,
      name: party.name,
      signers: [...signers],
    })),
    faults: faults.map(({ code, org }) => (org === undefined ? { code } : { code, org })),
    withdrawals: withdrawals.map(({ statement }) => statement),
  };
}

function stateOf(codes: readonly StandingReason['code'][]): ContractState {
  if (codes.length === 0) return 'held';
  if (codes.includes('withdrawn')) return 'withdrawn';
  if (codes.includes('expired')) return 'expired';
  return codes.every((code) => UNSIGNED.has(code)) ? 'incomplete' : 'faulty';
}
