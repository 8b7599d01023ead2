import type { ArtifactId, DeviceId, OrgId } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { ErasedVersion } from '@ringfence/protocol/statements';
import type { ColumnType } from 'kysely';

/** How long versions of an artifact are kept; of the empty artifact, kept logs. */
export interface RetentionTable {
  org: OrgId;
  artifact: ArtifactId | '';
  keep_ms: number;
  device: DeviceId;
  at: number;
}

/** A statement about an erasure, with the lists whose digests it signs. */
export interface KeptErasure {
  readonly report: Envelope;
  readonly versions: ErasedVersion[];
  readonly derived: ErasedVersion[];
}

/** One erasure, by the digest of its statement. */
export interface ErasureTable {
  org: OrgId;
  digest: Digest;
  at: number;
  report: ColumnType<KeptErasure, string, string>;
}

/** What the life of data leaves. */
export interface DataTables {
  retention: RetentionTable;
  erasure: ErasureTable;
}
