export type { Subscription, Wake } from './listener.ts';
export type { Migration } from './migration-plan.ts';
export { openDatabase, type DatabaseOptions } from './open.ts';
export { orgTable, type TableRight } from './org-table.ts';
export type { PoolCounts } from './pool.ts';
export { judgeProduction, type DatabaseFacts, type ProductionReason } from './production.ts';
export type { Protection } from './server-address.ts';
export type { Store } from './store.ts';
export type { QueryBuilder, TransactionOptions, Tx } from './transactions.ts';
