export type {
  AgentAdmission,
  AgentEntry,
  CustodianEntry,
  DelegatedRight,
  Delegation,
  DeviceEntry,
  RecoveryRule,
  RemovalReason,
  RoleBinding,
  SubjectId,
  TlsOwner,
} from './chain/entries.ts';
export { extendKeyring, foldKeyring, genesisStatement, nextStatement } from './chain/fold.ts';
export { CLOCK_SKEW_MS, Keyring } from './chain/keyring.ts';
export type { KeyringPoint } from './chain/state.ts';
export * from './keyring-error.ts';
export * from './statement.ts';
export { CHECKS, grantRefusalOf, refusalOf, type Check } from './admission/checks.ts';
export { openControlPlaneKeys, type ControlPlanePin } from './admission/control-plane-keys.ts';
export { checkDeletion, type DeletionOrder, type DeletionReason } from './admission/deletion.ts';
export { checkFence, type FenceReason } from './admission/fence.ts';
export { checkGrant, checkPayload, workloadDigest, type GrantContext } from './admission/grant.ts';
export {
  checkLease,
  placementDigest,
  type Admission,
  type AdmissionContext,
  type LeasedStart,
} from './admission/lease.ts';
export { machinePlaces } from './admission/machine-places.ts';
export {
  checkCommit,
  checkStopped,
  type Attempt,
  type OutcomeContext,
  type OutcomeReason,
} from './admission/outcome.ts';
export { checkGrantedProfile, openPolicy, openProfile, type RuleContext, type RuleReason } from './admission/rules.ts';
export { checkTombstone, type TombstoneReason } from './admission/tombstone.ts';
export * from './codes/code-proof.ts';
export { CODE_PREFIX, type CodeKind } from './codes/code-text.ts';
export * from './codes/codes.ts';
export { OneTimeCode } from './codes/one-time-code.ts';
export * from './codes/route.ts';
export {
  checkContract,
  judgeContract,
  partyStandings,
  type ContractContext,
  type HeldContract,
  type PartyStanding,
} from './contract/check-contract.ts';
export { CONTRACT_FAULTS, type ContractFault, type ContractFaultCode } from './contract/contract-fault.ts';
export {
  draftContract,
  mergeContractFiles,
  readContract,
  readContractFile,
  readContractOffer,
  signContract,
  writeContractFile,
} from './contract/contract-file.ts';
export { maySignContracts, ownersOfData } from './contract/contract-signers.ts';
export { contractTermFaults } from './contract/contract-terms.ts';
export { countGroups, countWithAggregator, groupOf } from './contract/counted-groups.ts';
export { contractChanges, type ContractChange } from './contract/render/contract-changes.ts';
export { renderContractHtml, renderContractText } from './contract/render/render-contract.ts';
export { checkWithdrawal, endsWithout, type WithdrawalReason } from './contract/withdrawal.ts';
export {
  evidenceHolds,
  type EvidenceDemand,
  type EvidenceReason,
  type JudgedDocument,
} from './evidence/evidence-holds.ts';
export {
  readEvidence,
  readRevocation,
  type EvidenceClaim,
  type EvidenceFault,
  type EvidenceFile,
} from './evidence/read-evidence.ts';
export * from './head.ts';
export * from './recovery-kit.ts';
