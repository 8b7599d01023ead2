import type { AgentId, CustodianId, DeviceId, OrgId } from '@ringfence/base';

/** Tables that the audit logs add; those of heads, entries and tiles are read and written by `@ringfence/store/audit-log` alone. */
export interface AuditTables {
  audit_shown: { org: OrgId; party: DeviceId | AgentId | CustodianId; sizes: number[] };
}
