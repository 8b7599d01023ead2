import type { LogIdentity } from './log-identity.ts';
import type { Sequencing } from './sequencing.ts';
import type { ServedLog } from './served-log.ts';

/** The logs that a process keeps: whose they are, what it gives out of them, and what appends to them. */
export interface AuditLogs {
  readonly identity: LogIdentity;
  readonly served: ServedLog;
  readonly sequencing: Sequencing;
}
