import type { ArtifactId, DeviceId, JobId, OrgId, ReleaseId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { ReleaseReceipt } from '@ringfence/protocol/statements';
import type { ColumnType, Generated } from 'kysely';

type Json<T> = ColumnType<T, string, string>;

/** Whose word counts for a dataset. */
export interface DatasetOwnerTable {
  org: OrgId;
  artifact: ArtifactId;
  device: DeviceId;
  at: number;
}

/** What a member asks owners to release. */
export interface ReleaseRequestTable {
  org: OrgId;
  request: ReleaseId;
  device: DeviceId;
  at: number;
  request_box: Uint8Array;
}

/** A signed word of an owner, by its digest. */
export interface ReleaseWordTable {
  org: OrgId;
  word: Digest;
  /** Of two words, the greater came later. */
  seq: number;
  kind: 'release' | 'rule';
  request: ReleaseId | null;
  device: DeviceId;
  scopes: Json<readonly string[]>;
  word_box: Uint8Array;
  at: number;
  /** How often a rule opened something. */
  used: Generated<number>;
  /** The statement that ended it. */
  end_box: Uint8Array | null;
}

/** One decision on handing something out, by the digest of its receipt. */
export interface OpeningTable {
  org: OrgId;
  receipt: Digest;
  kind: ReleaseReceipt['kind'];
  job: JobId | null;
  device: DeviceId | null;
  digest: Digest | null;
  decision: ReleaseReceipt['decision'];
  words: Json<readonly Digest[]>;
  at: number;
  last_at: number;
  document: Json<Envelope>;
}

/** Tables of the release gate. */
export interface ReleaseTables {
  dataset_owner: DatasetOwnerTable;
  release_request: ReleaseRequestTable;
  release_word: ReleaseWordTable;
  opening: OpeningTable;
}
