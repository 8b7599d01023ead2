import type { AgentId, ArtifactId, DeviceId, JobId, JoinCodeId, OrgId, ProjectId, SiteId } from '@ringfence/base';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import type { Tier } from '@ringfence/protocol';
import type { ControlPlaneRoute, NotifyEvent, RefusedGrant } from '@ringfence/protocol/payload';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { AuditColumn } from '@ringfence/store/audit-log';
import type { LockTable } from '@ringfence/store/locks';
import type { ColumnType, Generated } from 'kysely';
import type { AuditTables } from '../audit/audit-tables.ts';
import type { ContractTables } from './contract-tables.ts';
import type { DataTables } from './data-tables.ts';
import type { AccessTables } from './access-tables.ts';
import type { EndpointTables } from './endpoint-tables.ts';
import type { FederationTables } from './federation-tables.ts';
import type { KeyTables } from './key-tables.ts';
import type { PrivacyTables } from './privacy-tables.ts';
import type { ReleaseTables } from './release-tables.ts';
import type { RuleTables } from './rule-tables.ts';
import type { ShreddingTables } from './shredding-tables.ts';

/** A jsonb column: written as text, read as the value. */
type Json<T> = ColumnType<T, string, string>;

/** The one organisation of this custodian. */
export interface OrganisationTable {
  org: OrgId;
  project: ProjectId;
  state: 'registering' | 'claimed';
  /** Digest of the claim that made it: the same claim may be repeated. */
  claim_digest: Digest;
  /** The registration code, sealed; until the control plane has taken the organisation. */
  registration_box: Uint8Array | null;
  control_plane: Json<ControlPlaneRoute>;
  passphrase_sealed: boolean;
  epoch: Generated<number>;
  keyring_seq: number;
  head: Json<Envelope>;
  head_at: number;
  last_backup_at: number | null;
  /** The provider that holds the organisation's key. */
  kek_provider: Generated<string>;
  roles_told: Generated<boolean>;
  /** Null while device keys are all that there is. */
  factors_since: Generated<number | null>;
  outbox_seq: Generated<number>;
  event_seq: Generated<number>;
  event_hash: Generated<Digest>;
}

/** One statement of the keyring. */
export interface KeyringStatementTable {
  org: OrgId;
  seq: number;
  envelope: Json<Envelope>;
}

/** A code that lets one agent join. */
export interface JoinCodeTable {
  id: JoinCodeId;
  org: OrgId;
  tier: Tier;
  /** Secret, name and site. */
  code_box: Uint8Array;
  made_at: number;
  expires_at: number;
  spent_at: number | null;
  /** Digest of the keys that spent it: the same agent may ask again. */
  spent_digest: Digest | null;
  agent: AgentId | null;
}

/** A site and its name. */
export interface SiteTable {
  site: SiteId;
  org: OrgId;
  name_index: string;
  name_box: Uint8Array;
}

/** What the keyring does not say of an agent. */
export interface AgentTable {
  agent: AgentId;
  org: OrgId;
  site: SiteId;
  /** Name and LAN address. */
  place_box: Uint8Array;
  joined_at: number;
  removed: Generated<boolean>;
  locked: 'fork' | 'removed' | 'incident' | null;
  journal_seq: number | null;
  journal_hash: Digest | null;
  /** Of a machine away from home: until when it is admitted, as the control plane heard it last. */
  admission_told: Generated<number | null>;
}

/** A sealed object whose bytes are on disk. */
export interface ObjectTable {
  digest: Digest;
  org: OrgId;
  size: number;
  stored_at: number;
  /** When something new last relied on it, besides its storing. */
  used_at: Generated<number>;
  /** The agent that stored it first; null when that was a device, or before this was noted. */
  uploader: AgentId | null;
}

/** An object whose file is still to be removed. */
export interface DoomedObjectTable {
  digest: Digest;
  org: OrgId;
}

/** A data key under a key-encryption key. */
export interface WrappedKeyColumns {
  kek: string;
  kek_version: number;
  key_box: string;
}

/** A chunk that devices may reuse. */
export interface ChunkTable extends WrappedKeyColumns {
  id: Digest;
  org: OrgId;
  digest: Digest;
  size: number;
}

/** A dataset or output by its name. */
export interface ArtifactTable {
  artifact: ArtifactId;
  org: OrgId;
  kind: 'dataset' | 'output';
  name_index: string;
  name_box: Uint8Array;
  next_version: Generated<number>;
}

/** One version of an artifact: with a key that opens its manifest, or, of data in place, with the place. */
export interface ArtifactVersionTable {
  kek: string | null;
  kek_version: number | null;
  key_box: string | null;
  place_box: Uint8Array | null;
  artifact: ArtifactId;
  version: number;
  org: OrgId;
  manifest: Digest;
  /** Label, file count and size. */
  details_box: Uint8Array;
  job: JobId | null;
  at: number;
}

/** A deposited job. */
export interface JobTable {
  job: JobId;
  org: OrgId;
  device: DeviceId;
  name_box: Uint8Array;
  at: number;
  job_digest: Digest;
  job_envelope: Json<Envelope>;
  label_envelope: Json<Envelope>;
  placement: Json<PlacementPart>;
  /** Sealed to the custodian, as it came; null once its data keys are destroyed. */
  workload: Uint8Array | null;
  /** The highest attempt that was granted: the fencing token. */
  attempt: Generated<number>;
  agent: AgentId | null;
  closed: 'failed' | 'cancelled' | null;
  commit_record: ColumnType<Envelope | null, string | null, string | null>;
  /** Names of the secrets that the last refused grant lacked. */
  missing_box: Uint8Array | null;
  /** Why the last grant was refused; none since the last one that was given. */
  refused_grant: ColumnType<RefusedGrant | null, string | null, string | null>;
}

/** What a job's outputs are called. */
export interface JobOutputTable {
  job: JobId;
  position: number;
  org: OrgId;
  artifact: ArtifactId;
  version: number;
}

/** A granted attempt. */
export interface AttemptTable {
  job: JobId;
  attempt: number;
  org: OrgId;
  agent: AgentId;
  epoch: number;
  lease_digest: Digest;
  grant_envelope: Json<Envelope>;
  /** Null once its data keys are destroyed. */
  payload: Uint8Array | null;
  /** The version of each mount that the agent was given. */
  mounts: Json<readonly { readonly artifact: ArtifactId; readonly version: number }[]>;
  granted_at: number;
  /** By when an honest agent has ended without renewal, grace included; null: never by itself. */
  ends_by: number | null;
  stopped: ColumnType<Envelope | null, string | null, string | null>;
}

/** A secret by its name; its value sealed under a data key of its own. */
export interface SecretTable extends WrappedKeyColumns {
  org: OrgId;
  name_index: string;
  name_box: Uint8Array;
  version: number;
  value_box: Uint8Array;
  device: DeviceId;
  set_at: number;
}

/** The newest complete checkpoint of a job that is not over. */
export interface CheckpointTable extends WrappedKeyColumns {
  job: JobId;
  org: OrgId;
  attempt: number;
  manifest: Digest;
  files: number;
  bytes: number;
  at: number;
}

/** A log that was sealed to the custodian. */
export interface AttemptLogTable extends WrappedKeyColumns {
  job: JobId;
  attempt: number;
  org: OrgId;
  manifest: Digest;
  bytes: number;
  at: number;
}

/** What a webhook is still to be told. */
export interface NoticeTable {
  id: string;
  org: OrgId;
  job: JobId;
  /** Which one of those in the configuration, from 0. */
  webhook: number;
  outcome: NotifyEvent;
  at: number;
  tries: Generated<number>;
  next_at: number;
}

/** A document about a site, and its issuer's word that it counts no more. */
export interface EvidenceTable {
  org: OrgId;
  digest: Digest;
  document: Json<Envelope>;
  revocation: ColumnType<Envelope | null, string | null, string | null>;
  at: number;
  /** Whether the control plane heard whose sites it is about. */
  provider_told: Generated<boolean>;
}

/** A durable message that waits to be handed to the control link. */
export interface OutboxTable {
  org: OrgId;
  id: number;
  message: Json<DurablePartyMessage>;
}

/** One entry of the custodian's ledger. */
export interface EventTable {
  org: OrgId;
  seq: number;
  at: number;
  type: string;
  body: Uint8Array;
  hash: Digest;
  audit: AuditColumn;
}

/** Agents that were given a certificate at any time: they have to show one. */
export interface CertifiedAgentTable {
  org: OrgId;
  agent: AgentId;
  at: number;
}

/** Which process is the custodian: one row. */
export interface ActiveTermTable {
  term: number;
  only_row: Generated<boolean>;
  holder: string | null;
  beat: Generated<number>;
}

/** The schema `rf_cu`. */
export interface CustodianTables
  extends
    ContractTables,
    FederationTables,
    PrivacyTables,
    AccessTables,
    AuditTables,
    EndpointTables,
    ReleaseTables,
    ShreddingTables,
    RuleTables,
    DataTables,
    KeyTables {
  active_term: ActiveTermTable;
  organisation: OrganisationTable;
  keyring_statement: KeyringStatementTable;
  join_code: JoinCodeTable;
  site: SiteTable;
  agent: AgentTable;
  certified_agent: CertifiedAgentTable;
  object: ObjectTable;
  doomed_object: DoomedObjectTable;
  chunk: ChunkTable;
  artifact: ArtifactTable;
  artifact_version: ArtifactVersionTable;
  job: JobTable;
  job_output: JobOutputTable;
  attempt: AttemptTable;
  secret: SecretTable;
  checkpoint: CheckpointTable;
  attempt_log: AttemptLogTable;
  notice: NoticeTable;
  evidence: EvidenceTable;
  outbox: OutboxTable;
  event: EventTable;
  lock: LockTable;
}
