import type { DeviceId, EpochMs, OrgId } from '@ringfence/base';
import { decide, type Decision } from '@ringfence/policy';
import type { ContractFile } from '@ringfence/protocol/federation';
import type { Contract, ContractParty } from '@ringfence/protocol/statements';
import type { Keyring } from '../chain/keyring.ts';
import { verifyStatement, type Unverified, type Verified } from '../statement.ts';
import { agentFaults } from './contract-agents.ts';
import { faultsOf, type ContractFault } from './contract-fault.ts';
import { readContract } from './contract-file.ts';
import { maySignContracts, ownersOfData, signersOf } from './contract-signers.ts';
import { contractTermFaults } from './contract-terms.ts';
import { partyKeyring } from './party-keyring.ts';

/** By whom and when a contract is judged. */
export interface ContractContext {
  /** Of the reader's own organisation; it names the peers. */
  readonly keyring: Keyring;
  readonly now: EpochMs;
}

/** How far one party has come. */
export interface PartyStanding {
  readonly party: ContractParty;
  /** Where it could be trusted. */
  readonly keyring?: Keyring;
  /** Devices of it that signed. */
  readonly signers: readonly DeviceId[];
  /** What is missing or wrong on its side. */
  readonly faults: readonly ContractFault[];
}

/** A contract that holds: its bytes are signed by every party, and every keyring was checked from a root that the reader's own names. */
export interface HeldContract {
  readonly contract: Verified<'contract'>;
  readonly keyrings: ReadonlyMap<OrgId, Keyring>;
}

/** Where each party of a contract stands, in its order; throws KeyringError `malformed`. */
export function partyStandings(file: ContractFile, own: Keyring, now: EpochMs): PartyStanding[] {
  const contract = readContract(file);
  return contract.claimed.parties.map((party) => standingOf(party, { contract, file, own, now }));
}

/**
 * Whether a contract holds for the reader's organisation at `now`: it contradicts nothing, has not ended, and every party, the reader's among them, has signed it by
 * devices whose right follows from its keyring. Throws KeyringError `malformed`.
 */
export function checkContract(file: ContractFile, context: ContractContext): Decision<ContractFault, HeldContract> {
  return judgeContract(file, context).decision;
}

/** {@link checkContract}, with {@link partyStandings} from the same look. Throws KeyringError `malformed`. */
export function judgeContract(
  file: ContractFile,
  { keyring: own, now }: ContractContext,
): { readonly decision: Decision<ContractFault, HeldContract>; readonly standings: readonly PartyStanding[] } {
  const standings = partyStandings(file, own, now);
  return { decision: decisionOn(file, standings, { keyring: own, now }), standings };
}

function decisionOn(
  file: ContractFile,
  standings: readonly PartyStanding[],
  { keyring: own, now }: ContractContext,
): Decision<ContractFault, HeldContract> {
  const read = readContract(file);
  const { parties } = read.claimed;
  const keyrings = new Map(
    standings.flatMap(({ party, keyring }) => (keyring === undefined ? [] : [[party.org, keyring] as const])),
  );
  const reasons = [
    ...contractTermFaults(read.claimed, now),
    ...faultsOf([
      ['not-a-party', parties.some(({ org }) => org === own.org)],
      ['aggregator-not-an-agent', !isCustodianKey(read.claimed, [own, ...keyrings.values()])],
    ]),
    ...standings.flatMap(({ faults }) => faults),
  ];
  if (reasons.length > 0) return { allow: false, reasons };
  const keys = standings.flatMap(({ keyring, signers }) => signers.flatMap((id) => keyring?.deviceKey(id) ?? []));
  return decide([], { contract: verifyStatement(read, keys, new Set(keys).size), keyrings });
}

function standingOf(
  party: ContractParty,
  by: { contract: Unverified<'contract'>; file: ContractFile; own: Keyring; now: EpochMs },
): PartyStanding {
  const { contract, file, own, now } = by;
  const { org } = party;
  const found = partyKeyring(party, file, own);
  if ('fault' in found) return { party, signers: [], faults: [{ code: found.fault, org }] };
  const { keyring } = found;
  const signers = signersOf(contract, keyring);
  const owners = contract.claimed.clients.flatMap((client) => (client.org === org ? [client.dataset.owner] : []));
  return {
    party,
    keyring,
    signers,
    faults: [
      ...faultsOf([
        ['signature-missing', signers.some((device) => maySignContracts(keyring, device)), org],
        [
          'owner-signature-missing',
          owners.every((owner) => ownersOfData(keyring, owner).some((device) => signers.includes(device))),
          org,
        ],
      ]),
      ...agentFaults(contract.claimed, keyring, now),
    ],
  };
}

/** Whoever keeps an organisation's keys adds up nothing for others, under whatever name. */
function isCustodianKey({ aggregator }: Contract, keyrings: readonly Keyring[]): boolean {
  const keys = new Set<string>([aggregator.sign, aggregator.tls]);
  return keyrings.some((keyring) => keyring.custodians().some(({ sign, tls }) => keys.has(sign) || keys.has(tls)));
}
