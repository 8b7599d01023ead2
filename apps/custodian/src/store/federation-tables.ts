import type { AgentId, ArtifactId, DeviceId, JobId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { FederationRole } from '@ringfence/protocol/payload';
import type { Generated } from 'kysely';

/** What a deposited `federate` job takes part in. */
export interface FederationJobTable {
  job: JobId;
  org: OrgId;
  contract: Digest;
  role: FederationRole;
  /** Digest of its code's plain files; null where it brings none. */
  code: Digest | null;
  /** The dataset of a client. */
  artifact: ArtifactId | null;
}

/** A round that one agent had leave for. */
export interface FederationRoundTable {
  org: OrgId;
  contract: Digest;
  agent: AgentId;
  round: number;
  job: JobId;
  attempt: number;
  at: number;
  /** What came of it, as the agent said; null until then. */
  outcome: 'summed' | 'aborted' | null;
  report_box: Uint8Array | null;
  /** It came to nothing, and somebody let rounds begin again since. */
  excused: Generated<boolean>;
}

/** A contract of which no round begins for now. */
export interface FederationPauseTable {
  org: OrgId;
  contract: Digest;
  /** Who paused it; null where too many rounds in a row were aborted. */
  device: DeviceId | null;
  at: number;
}

/** Tables of federations. */
export interface FederationTables {
  federation_job: FederationJobTable;
  federation_round: FederationRoundTable;
  federation_pause: FederationPauseTable;
}
