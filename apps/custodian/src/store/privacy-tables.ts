import type { ArtifactId, DeviceId, JobId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { Decimal, PrivacyTerms } from '@ringfence/protocol/federation';

/** What a dataset's owner lets be lost. */
export interface PrivacyBudgetTable {
  artifact: ArtifactId;
  org: OrgId;
  unit: string;
  epsilon: Decimal;
  delta: Decimal;
  device: DeviceId;
  at: number;
}

/** A dataset that no job mounts but of a federation. */
export interface ContractOnlyTable {
  artifact: ArtifactId;
  org: OrgId;
  device: DeviceId;
  at: number;
}

/** What an artifact has rows of. */
export interface PrivacyLineageTable {
  artifact: ArtifactId;
  source: ArtifactId;
  org: OrgId;
  cause: 'output' | 'declared' | 'overlap';
  at: number;
}

/** A sealed object that some version of a dataset had. */
export interface DatasetObjectTable {
  artifact: ArtifactId;
  digest: Digest;
  org: OrgId;
}

/** A version whose objects are in {@link DatasetObjectTable}. */
export interface IndexedVersionTable {
  artifact: ArtifactId;
  version: number;
  org: OrgId;
}

/** Against whom an event is counted; a budget is debited by those of `budget`. */
export type PrivacyParty = 'budget' | 'outsiders' | 'member' | 'others';

/** Whose code clipped and noised. */
export type PrivacyGrade = PrivacyTerms['grade'];

/** How often one thing was done. */
export interface PrivacyTallyTable {
  artifact: ArtifactId;
  era: number;
  /** Empty when it was for none. */
  contract: Digest | '';
  party: PrivacyParty;
  grade: PrivacyGrade;
  unit: string;
  event: string;
  org: OrgId;
  times: number;
}

/** One use of a dataset. */
export interface PrivacyEntryTable {
  artifact: ArtifactId;
  kind: 'spent' | 'uncounted' | 'refused';
  /** `round:CONTRACT:N` or `attempt:JOB:N`. */
  source: string;
  org: OrgId;
  contract: Digest | null;
  round: number | null;
  job: JobId;
  attempt: number;
  debit: string | null;
  at: number;
}

/** A dataset of which it is not known what was done up to an era, and what settled it. */
export interface PrivacyDoubtTable {
  artifact: ArtifactId;
  era: number;
  org: OrgId;
  cause: 'restored' | 'rolled-back';
  at: number;
  least_epsilon: Decimal | null;
  least_delta: Decimal | null;
  epsilon: Decimal | null;
  delta: Decimal | null;
  device: DeviceId | null;
  settled_at: number | null;
}

/** The privacy ledger. */
export interface PrivacyTables {
  privacy_budget: PrivacyBudgetTable;
  contract_only: ContractOnlyTable;
  privacy_lineage: PrivacyLineageTable;
  dataset_object: DatasetObjectTable;
  indexed_version: IndexedVersionTable;
  privacy_tally: PrivacyTallyTable;
  privacy_entry: PrivacyEntryTable;
  privacy_doubt: PrivacyDoubtTable;
}
