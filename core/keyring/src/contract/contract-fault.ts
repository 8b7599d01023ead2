import type { OrgId } from '@ringfence/base';

/** Why a contract does not hold. */
export const CONTRACT_FAULTS = [
  /** What it says contradicts itself, or a rule that no contract may loosen. */
  'party-twice',
  'party-unknown',
  'agent-twice',
  'dataset-twice',
  'too-few-organisations',
  'colluders',
  'recipient-unknown',
  'aggregator-route',
  'honest-minimum',
  'noise-without-budget',
  'budget-without-noise',
  'grade-of-own-code',
  'sample-rate',
  'organisation-twice',
  'evaluation-with-noise',
  'held-out',
  'robustness-with-noise',
  'model-shape',
  'columns-missing',
  'post-dated',
  'expired',
  /** Who says it. */
  'not-a-party',
  'not-a-peer',
  'keyring-missing',
  'keyring-broken',
  'keyring-short',
  'root-differs',
  'signature-missing',
  'owner-signature-missing',
  /** Whom it names. */
  'agent-not-member',
  'agent-keys',
  'agent-site',
  'agent-admission-ended',
  'aggregator-not-an-agent',
] as const;

/** The name of a fault. */
export type ContractFaultCode = (typeof CONTRACT_FAULTS)[number];

/** A fault, and whose it is where it is one party's. */
export interface ContractFault {
  readonly code: ContractFaultCode;
  readonly org?: OrgId;
}

/** The faults of those pairs that do not hold. */
export function faultsOf(
  holds: readonly (readonly [code: ContractFaultCode, good: boolean, org?: OrgId])[],
): ContractFault[] {
  return holds.flatMap(([code, good, org]) => (good ? [] : [org === undefined ? { code } : { code, org }]));
}
