import type { Clock, Log } from '@ringfence/base';
import type { Fault } from '../fault-points.ts';
import type { RecordEvent } from '../ledger/record-event.ts';
import type { LeaseEnds } from '../jobs/attempt-end.ts';
import type { ControlPlaneLink } from '../links/control-plane-link.ts';
import type { CustodianStore } from '../store/open-store.ts';
import type { ColumnSeal } from '../store/sealed-column.ts';

/** What the life of endpoints works with. */
export interface EndpointParts {
  readonly store: CustodianStore;
  readonly columns: ColumnSeal;
  readonly clock: Clock;
  readonly leaseEnds: LeaseEnds;
  readonly log: Log;
  readonly record: RecordEvent;
  readonly fault: Fault;
  readonly link: ControlPlaneLink;
}
