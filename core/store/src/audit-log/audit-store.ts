import type { OrgId } from '@ringfence/base';
import type { CompiledQuery, QueryResult } from 'kysely';
import type { TransactionOptions } from '../database/transactions.ts';

/** A transaction in a database that has the tables of logs. */
export interface AuditTx {
  executeQuery<R>(query: CompiledQuery<R>): Promise<QueryResult<R>>;
}

/** The part of a store that logs need. */
export interface AuditStore {
  withOrg<T>(org: OrgId, run: (tx: AuditTx) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** Looks only. */
export const READ_ONLY: TransactionOptions = { readOnly: true };
