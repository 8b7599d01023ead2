import type { Clock, Log, Rng, Secret } from '@ringfence/base';
import type { DiskRoom } from '@ringfence/base/platform';
import type { PartyRoute } from '@ringfence/protocol/payload';
import type { AuditLogs } from '@ringfence/store/audit-log';
import type { AccessBook } from './access/access-book.ts';
import type { AccessPolicies } from './access/access-policies.ts';
import type { Witness } from './audit/witness.ts';
import type { AgentCertificates } from './certificates/agent-certificates.ts';
import type { ClaimedOrganisation } from './claim/claimed-organisation.ts';
import type { Fault } from './fault-points.ts';
import type { CustodianKeys } from './identity/custodian-keys.ts';
import type { Endpoints } from './endpoints/endpoints.ts';
import type { SealKind } from './identity/key-vault.ts';
import type { OrganisationRing } from './keys/organisation-ring.ts';
import type { ProjectKeys } from './keys/project-keys.ts';
import type { Rotation } from './keys/rotation.ts';
import type { IdentityPace } from './job-identities/identity-pace.ts';
import type { IdentityTokens } from './job-identities/identity-tokens.ts';
import type { JobCodes } from './job-identities/job-codes.ts';
import type { RecordEvent } from './ledger/record-event.ts';
import type { LeaseEnds } from './jobs/attempt-end.ts';
import type { EndedUngranted } from './jobs/ended-ungranted.ts';
import type { OpenCodes } from './join/open-codes.ts';
import type { ControlPlaneLink } from './links/control-plane-link.ts';
import type { NewestNumber } from './http/newest-number.ts';
import type { Desk, Locks } from './locks/kept-locks.ts';
import type { Notices } from './notices/notices.ts';
import type { LedgerMark } from './privacy-ledger/ledger-mark.ts';
import type { ObjectStore } from './objects/object-store.ts';
import type { Shredding } from './shredding/shredding.ts';
import type { CustodianStore } from './store/open-store.ts';
import type { ColumnSeal } from './store/sealed-column.ts';

/** What every part of a running custodian works with. */
export interface CustodianContext {
  readonly state: string;
  readonly version: string;
  readonly store: CustodianStore;
  readonly keys: CustodianKeys;
  /** The keys as they rest sealed; a backup carries them. */
  readonly keyBytes: Secret;
  readonly sealKind: SealKind;
  /** The organisation's own key, where the custodian holds it itself. */
  readonly ring: OrganisationRing;
  /** Under what data keys are wrapped. */
  readonly projectKeys: ProjectKeys;
  readonly rotation: Rotation;
  readonly columns: ColumnSeal;
  readonly objects: ObjectStore;
  /** Room on the disk of the state folder. */
  readonly disk: DiskRoom;
  readonly authoriser: AccessPolicies;
  /** Whose devices there are, and what was shown at them. */
  readonly access: AccessBook;
  /** Says of agents' keys that they are still good. */
  readonly certificates: AgentCertificates;
  /** Says of running jobs which they are. */
  readonly identities: IdentityTokens;
  readonly identityPace: IdentityPace;
  /** What code the jobs bring that asked. */
  readonly jobCodes: JobCodes;
  /** Who is cut off, and how officers change that. */
  readonly locks: Locks;
  readonly lockDesk: Desk;
  /** What agents hear of it. */
  readonly lockNews: NewestNumber;
  readonly clock: Clock;
  readonly leaseEnds: LeaseEnds;
  readonly endedUngranted: EndedUngranted;
  readonly rng: Rng;
  readonly log: Log;
  readonly record: RecordEvent;
  /** How far the ledger was when leave for a round was given last. */
  readonly privacyMark: LedgerMark;
  /** The log that follows the ledger. */
  readonly logs: AuditLogs;
  /** Watches the control plane's log. */
  readonly witness: Witness;
  readonly fault: Fault;
  readonly link: ControlPlaneLink;
  /** What webhooks are told. */
  readonly notices: Notices;
  readonly endpoints: Endpoints;
  /** Destroys data keys when the control plane says that their attempts are over. */
  readonly shredding: Shredding;
  /** How others reach this custodian. */
  readonly route: () => PartyRoute;
  /** Trust and proxy of what it dials. */
  readonly outer: { readonly caFile: string | undefined; readonly proxy: string | undefined };
  /** The organisation, once there is one. */
  readonly owner: Owner;
  /** Join codes that can still be spent. */
  readonly openCodes: OpenCodes;
  /** Cuts payload links of those who are members no more. */
  readonly recheckLinks: () => void;
}

/** Holds the organisation from its claim on. */
export interface Owner {
  claimed: ClaimedOrganisation | undefined;
}
