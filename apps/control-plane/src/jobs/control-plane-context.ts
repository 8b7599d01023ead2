import type { Clock, Log, OrgId, Rng } from '@ringfence/base';
import type { ControlPlaneIdentity } from '../identity/key-folder.ts';
import type { ControlPlaneEvent } from '../ledger/control-plane-event.ts';
import type { WaitingQuota } from '../queue/waiting-quota.ts';
import type { KeptInventories } from '../placement/kept-inventories.ts';
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
  /** Writes an event into the organisation's ledger, in the transaction of the change. */
  readonly record: (tx: Tx, org: OrgId, event: ControlPlaneEvent) => Promise<void>;
  readonly fault: Fault;
  /** Called after each registration. */
  readonly onRegistered: () => void;
}
