import {
  openServiceDatabase,
  type OpenStore as OpenServiceStore,
  type ServicePlace,
  type Store,
  type Tx as StoreTx,
} from '@ringfence/store';
import { MIGRATION_0001 } from './migration-0001.ts';
import { MIGRATION_0002 } from './migration-0002.ts';
import { MIGRATION_0004 } from './migration-0004.ts';
import { MIGRATION_0005 } from './migration-0005.ts';
import { MIGRATION_0006 } from './migration-0006.ts';
import { MIGRATION_0007 } from './migration-0007.ts';
import { MIGRATION_0008 } from './migration-0008.ts';
import { MIGRATION_0009 } from './migration-0009.ts';
import { MIGRATION_0010 } from './migration-0010.ts';
import { MIGRATION_0011 } from './migration-0011.ts';
import { MIGRATION_0012 } from './migration-0012.ts';
import type { CustodianTables } from './tables.ts';

/** The queries that run before it is known whose custodian this is. */
export const SYSTEM_QUERIES = ['find-organisation', 'hold-active-term'] as const;

/** One of {@link SYSTEM_QUERIES}. */
export type SystemQuery = (typeof SYSTEM_QUERIES)[number];
/** The custodian's database. */
export type CustodianStore = Store<CustodianTables, SystemQuery>;
/** A transaction in it. */
export type Tx = StoreTx<CustodianTables>;

/** An open store, and the server below it when it is embedded. */
export type OpenStore = OpenServiceStore<CustodianTables, SystemQuery>;

/** In their order, which never changes. */
const MIGRATIONS = [
  { name: 'first-tables', sql: MIGRATION_0001 },
  { name: 'secrets-checkpoints-logs-notices', sql: MIGRATION_0004 },
  { name: 'endpoints', sql: MIGRATION_0002 },
  { name: 'data-in-place-and-pruning', sql: MIGRATION_0005 },
  { name: 'active-term', sql: MIGRATION_0006 },
  { name: 'object-uploader', sql: MIGRATION_0007 },
  { name: 'evidence', sql: MIGRATION_0008 },
  { name: 'refused-grants', sql: MIGRATION_0012 },
  { name: 'shredded-keys', sql: MIGRATION_0009 },
  { name: 'signed-rules', sql: MIGRATION_0010 },
  { name: 'told-admissions', sql: MIGRATION_0011 },
] as const;

/** One organisation and few members: more connections would only cost memory. */
const CONNECTIONS = 8;

/** Opens the database at `url`, or the embedded one of the state folder, and migrates it. */
export function openStore(place: ServicePlace): Promise<OpenStore> {
  return openServiceDatabase<CustodianTables, SystemQuery>(place, {
    schema: 'rf_cu',
    migrations: MIGRATIONS.map((step, at) => ({ id: at + 1, ...step })),
    systemQueries: SYSTEM_QUERIES,
    sharedTables: ['active_term'],
    connections: CONNECTIONS,
  });
}
