import type { AgentId, DeletionId, JobId, OrgId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { NamedAttempt } from '@ringfence/protocol/statements';
import type { ColumnType } from 'kysely';

/** An attempt whose data keys are destroyed. */
export interface ShreddedAttemptTable {
  org: OrgId;
  job: JobId;
  attempt: number;
  at: number;
}

/** An order to destroy data keys that is not carried out yet. */
export interface ShredOrderTable {
  org: OrgId;
  request: DeletionId;
  agent: AgentId;
  attempts: ColumnType<readonly NamedAttempt[], string, string>;
  deletion: Digest | 'missing' | 'refused';
  at: number;
}

/** What destroying data keys leaves. */
export interface ShreddingTables {
  shredded_attempt: ShreddedAttemptTable;
  shred_order: ShredOrderTable;
}
