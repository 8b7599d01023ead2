import type { BeginRate } from '../ceremonies/begin-rate.ts';
import type { Clock, Log, OrgId, Rng } from '@ringfence/base';
import type { AuditLogs } from '@ringfence/store/audit-log';
import type { LockDesk } from '@ringfence/store/locks';
import type { AllowedFetch } from '../sign-on/allowed-fetch.ts';
import type { OwnUrl } from '../http/own-url.ts';
import type { ControlPlaneIdentity } from '../identity/key-folder.ts';
import type { ControlPlaneEvent } from '../ledger/control-plane-event.ts';
import type { AddressTries } from '../members/address-tries.ts';
import type { PasswordHasher } from '../members/password-hasher.ts';
import type { KnownSessions } from '../sessions/known-sessions.ts';
import type { WaitingQuota } from '../queue/waiting-quota.ts';
import type { KeptInventories } from '../placement/kept-inventories.ts';
import type { Locks } from '../locks/watch-locks.ts';
import type { PlacerTerm } from '../placement/placer-term.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { OrgChanges } from '../store/org-changes.ts';
import type { Fault } from '../fault-points.ts';

/** What the services of one replica share. */
export interface ControlPlaneContext {
  readonly store: ControlPlaneStore;
  readonly changes: OrgChanges;
  readonly identity: ControlPlaneIdentity;
  readonly replica: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly term: PlacerTerm;
  /** What jobs are placed on, in their organisation's turn alone. */
  readonly inventories: KeptInventories;
  /** What those see who ask and reserve nothing. */
  readonly asked: KeptInventories;
  /** How many jobs of an organisation may wait. */
  readonly waitingQuota: WaitingQuota;
  /** Browsers that are signed in. */
  readonly sessions: KnownSessions;
  readonly passwords: PasswordHasher;
  /** Wrong tries by address, at this replica. */
  readonly addressTries: AddressTries;
  readonly beginRate: BeginRate;
  /** Who is cut off, as this replica knows it. */
  readonly locks: Locks;
  /** How officers change that. */
  readonly lockDesk: LockDesk<Tx>;
  /** Writes an event into the organisation's ledger, in the transaction of the change. */
  readonly record: (tx: Tx, org: OrgId, event: ControlPlaneEvent) => Promise<void>;
  /** The organisations' logs, which follow their ledgers. */
  readonly logs: AuditLogs;
  readonly fault: Fault;
  readonly ownUrl: OwnUrl;
  /** Reaches identity providers that the operator listed. */
  readonly fetch: AllowedFetch;
  /** Called after each registration. */
  readonly onRegistered: () => void;
}
