import type {
  AgentId,
  CustodianId,
  DeviceId,
  GangId,
  JobId,
  OfferId,
  OrgId,
  ProviderId,
  SiteId,
} from '@ringfence/base';
import type { Digest, Envelope, SigningPublicKey } from '@ringfence/crypto/sign';
import type { RetryReason, Sensitivity, Tier } from '@ringfence/protocol';
import type { AvoidanceReason, JobState, StopCause } from '@ringfence/protocol/api';
import type { MessageBody, Refusal } from '@ringfence/protocol/messages';
import type { Outcome, PlacementPart, WaitingReason } from '@ringfence/protocol/statements';
import type { FreeResources, OfferEvidence, RetryCounts } from '@ringfence/policy';
import type { Role } from '@ringfence/policy/authorise';
import type { AuditColumn } from '@ringfence/store/audit-log';
import type { ColumnType, Generated } from 'kysely';
import type { DurableControlMessage } from '@ringfence/client/control-link';
import type { AuditTables } from '../audit/audit-tables.ts';
import type { PoolTables } from '../burst/pool-tables.ts';
import type { IdentityTables } from '../members/identity-tables.ts';
import type { NoticeTables } from '../notices/notice-tables.ts';

/** A jsonb column: written as text, read as the value. */
type Json<T> = ColumnType<T, string, string>;

/** Who places now. */
export interface PlacerTermTable {
  only_row: Generated<boolean>;
  term: number;
  holder: string;
  /** 0 when the holder let go; otherwise for people: nobody decides by it. */
  until: number;
  /** How often the holder has spoken. */
  beat: Generated<number>;
}

/** A code that lets one custodian register one organisation. */
export interface RegistrationCodeTable {
  id: string;
  secret_box: Uint8Array;
  made_at: number;
  expires_at: number;
  spent_at: number | null;
}

/** An organisation and the head of its ledger. */
export interface OrganisationTable {
  org: OrgId;
  custodian: CustodianId;
  enrolment_key: SigningPublicKey;
  registered_at: number;
  event_seq: Generated<number>;
  event_hash: Generated<Digest>;
  /** Raised when an offer changes or something that was reserved is free again. */
  inventory: Generated<number>;
  /** Since when an owner or officer has a factor here; null: devices' keys are all there is. */
  factors_since: Generated<number | null>;
  /** Whether its custodian says which roles devices have; an older one says nothing, and then each is an owner. */
  tells_roles: Generated<boolean>;
}

/** The parties that can hold a link or sign a request. */
export type PartyId = DeviceId | AgentId | CustodianId;

/** An identity that an organisation vouches for, and where its control link stands. */
export interface PartyTable {
  id: PartyId;
  org: OrgId;
  role: 'device' | 'agent' | 'custodian';
  sign_key: SigningPublicKey;
  keyring_seq: number;
  removed: Generated<boolean>;
  /** Of an agent: what the locks on it and on its site say. */
  locked: 'fork' | 'removed' | 'incident' | 'lock' | null;
  /** Of a device: what the keyring binds it to, and how far the keyring was; null when its custodian did not say. */
  roles: ColumnType<readonly Role[] | null, string | null | undefined, string | null>;
  roles_seq: Generated<number | null>;
  /** Of an agent: where it is by the keyring; null when its custodian did not say. */
  tier: Generated<Tier | null>;
  site: Generated<SiteId | null>;
  /** Of an agent away from home: whose it is, under which laws it stands, and until when it gets jobs, 0 once that has ended; null where its custodian did not say. */
  provider: Generated<ProviderId | null>;
  places: ColumnType<readonly string[] | null, string | null | undefined, string | null>;
  admitted_until: Generated<number | null>;
  /** Of an agent: no new leases. */
  draining: Generated<boolean>;
  journal_seq: number | null;
  journal_hash: Digest | null;
  /** Highest message id of the party that is committed. */
  received_mid: Generated<number>;
  /** Id of the next durable message to the party. */
  next_mid: Generated<number>;
  /** Raised at each hello; a transaction of an older connection finds another number and gives up. */
  connection: Generated<number>;
  replica: string | null;
  seen_at: number | null;
}

/** What an agent's machine offers, and what of it is free. */
export interface OfferTable {
  offer: OfferId;
  org: OrgId;
  agent: AgentId;
  epoch: number;
  row_version: Generated<number>;
  body: Json<MessageBody<'offer'>>;
  free_cpu_milli: number;
  free_memory_bytes: number;
  free_disk_bytes: number;
  free_gpus: Json<FreeResources['gpus']>;
  /** Away from home, and to be given back: no new leases. */
  cordoned: Generated<boolean>;
  /** Attempts that began there and are over, and those of them that were lost with the machine. */
  ended: Generated<number>;
  lost: Generated<number>;
  /** Attempts in a row that its agent would not run, and the job of the last. */
  strikes: Generated<number>;
  struck_by: Generated<JobId | null>;
  /** How often in a row it was avoided; until when and for what it is, or null. */
  avoidances: Generated<number>;
  avoided_until: Generated<number | null>;
  avoided_for: Generated<AvoidanceReason | null>;
  /** How long attempts ran there that are over. */
  ran_ms: Generated<number>;
}

/** What a custodian said of a document about a site. */
export interface SiteEvidenceTable {
  org: OrgId;
  evidence: Digest;
  site: string;
  /** Whose site it is about: `own` for the organisation's; null where its custodian did not say. */
  provider: Generated<ProviderId | 'own' | null>;
  standard: OfferEvidence['standard'];
  grade: OfferEvidence['grade'];
  from_at: number;
  until_at: number;
}

/** A job: ids, state, and the three parts that its owner sent. */
export interface JobTable {
  job: JobId;
  org: OrgId;
  device: DeviceId;
  type: string;
  state: JobState;
  sensitivity: Sensitivity;
  job_digest: Digest;
  job_envelope: Json<Envelope>;
  label_envelope: Json<Envelope>;
  placement: Json<PlacementPart>;
  priority: number;
  attempts: Generated<number>;
  max_attempts: number;
  stopping: Generated<boolean>;
  waiting_for: Json<readonly { constraint: WaitingReason; count: number }[]>;
  submitted_at: number;
  changed_at: number;
  expires_at: number;
  /** The custodian's newest word on a `serve` job. */
  wanted: Generated<boolean>;
  /** The next attempt is leased no earlier, unless it waits for the inventory and that changes. */
  not_before: number | null;
  retry_reason: RetryReason | null;
  retry_counts: ColumnType<RetryCounts, string | undefined, string>;
  /** The organisation's `inventory` when the job began to wait for another one. */
  inventory_seen: number | null;
  /** The jobs with which it starts together. */
  gang: GangId | null;
  /** Jobs with the same one fit at the same offers; null in old rows. */
  shape: Digest | null;
}

/** A machine that is kept for a job for which others there were told to stop. */
export interface NominationTable {
  job: JobId;
  org: OrgId;
  offer: OfferId;
  until_at: number;
}

/** A custodian's word on a job that nobody has submitted yet. */
export interface EarlyWishTable {
  org: OrgId;
  job: JobId;
  wanted: boolean;
  final: boolean;
  at: number;
}

/** States of an attempt at the control plane. */
export type AttemptRowState = 'leased' | 'accepted' | 'starting' | 'running' | 'stopped' | 'refused' | 'expired';

/** One leased attempt and what it reserves. */
export interface AttemptTable {
  job: JobId;
  attempt: number;
  org: OrgId;
  agent: AgentId;
  offer: OfferId;
  state: AttemptRowState;
  outcome: Outcome | null;
  live: boolean;
  cpu_milli: number;
  memory_bytes: number;
  disk_bytes: number;
  gpus: Json<FreeResources['gpus']>;
  receipt: Json<Envelope>;
  lease: Json<Envelope>;
  term: number;
  /** For people: nobody decides by it. */
  lease_until: number;
  /** Its lease is not renewed past this moment; null where no budget bounds it. */
  covered_until: Generated<number | null>;
  /** How often the lease was renewed. */
  renewals: Generated<number>;
  running_at: number | null;
  stop_sent: Generated<boolean>;
  /** For people: why its agent did not start it, and why it was told to stop. */
  refusal: Refusal | null;
  stop_cause: StopCause | null;
  stop_grace_ms: Generated<number | null>;
}

/** A durable message that its party has not acknowledged. */
export interface OutboxTable {
  party: PartyId;
  mid: number;
  org: OrgId;
  /** Null for a lease: it is put together from the rows of `lease_of` and its `attempt`. */
  message: ColumnType<DurableControlMessage | null, string | null, never>;
  lease_of: Generated<JobId | null>;
  attempt: Generated<number | null>;
}

/** One entry of an organisation's ledger. */
export interface EventTable {
  org: OrgId;
  seq: number;
  at: number;
  type: string;
  job: JobId | null;
  body: Uint8Array;
  hash: Digest;
  audit: AuditColumn;
}

/** A nonce that may not be used again while its signature is fresh. */
export interface SpentNonceTable {
  device: DeviceId;
  nonce: string;
  org: OrgId;
  expires_at: number;
}

/** The schema `rf_cp`. */
export interface ControlPlaneTables extends AuditTables, PoolTables, IdentityTables, NoticeTables {
  placer_term: PlacerTermTable;
  registration_code: RegistrationCodeTable;
  organisation: OrganisationTable;
  party: PartyTable;
  offer: OfferTable;
  site_evidence: SiteEvidenceTable;
  job: JobTable;
  attempt: AttemptTable;
  nomination: NominationTable;
  early_wish: EarlyWishTable;
  outbox: OutboxTable;
  event: EventTable;
  spent_nonce: SpentNonceTable;
}
