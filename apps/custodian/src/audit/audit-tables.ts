import type { AgentId, CustodianId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { LogAccusation } from '@ringfence/protocol/payload';
import type { ColumnType } from 'kysely';

/** Tables that the audit logs add; those of heads, entries and tiles are read and written by `@ringfence/store/audit-log` alone. */
export interface AuditTables {
  audit_witness: {
    org: OrgId;
    witness: AgentId | CustodianId;
    origin: string;
    key: string;
    size: number;
    note: string;
  };
  audit_subject: { org: OrgId; subject: string; handle: string; key_box: Uint8Array };
  audit_held: { org: OrgId; origin: string; key: string; size: number; note: string };
  audit_accusation: {
    org: OrgId;
    witness: AgentId | CustodianId;
    digest: Digest;
    accusation: ColumnType<LogAccusation, string, never>;
    at: number;
    place: number;
  };
  audit_accuser: { org: OrgId; witness: AgentId | CustodianId; filed: number };
}
