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
import { MIGRATION_0013 } from './migration-0013.ts';
import { MIGRATION_0016 } from './migration-0016.ts';
import { MIGRATION_0014 } from './migration-0014.ts';
import { MIGRATION_0021 } from './migration-0021.ts';
import { MIGRATION_0022 } from './migration-0022.ts';
import { MIGRATION_0024 } from './migration-0024.ts';
import { MIGRATION_0025 } from './migration-0025.ts';
import { MIGRATION_0026 } from './migration-0026.ts';
import { MIGRATION_0027 } from './migration-0027.ts';
import { MIGRATION_0028 } from './migration-0028.ts';
import { MIGRATION_0029 } from './migration-0029.ts';
import { MIGRATION_0030 } from './migration-0030.ts';
import { MIGRATION_0031 } from './migration-0031.ts';
import { MIGRATION_0032 } from './migration-0032.ts';
import { MIGRATION_0015 } from './migration-0015.ts';
import { MIGRATION_0017 } from './migration-0017.ts';
import { MIGRATION_0018 } from './migration-0018.ts';
import { MIGRATION_0020 } from './migration-0020.ts';
import type { CustodianTables } from './tables.ts';

/** The queries that run before it is known whose custodian this is. */
export const SYSTEM_QUERIES = ['find-organisation', 'held-locks', 'hold-active-term'] as const;

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
  { name: 'told-roles', sql: MIGRATION_0013 },
  { name: 'retention-and-erasures', sql: MIGRATION_0018 },
  { name: 'keys-of-projects', sql: MIGRATION_0015 },
  { name: 'releases', sql: MIGRATION_0016 },
  { name: 'members-and-proposals', sql: MIGRATION_0020 },
  { name: 'audit-logs', sql: MIGRATION_0017 },
  { name: 'locks', sql: MIGRATION_0014 },
  { name: 'erased-members', sql: MIGRATION_0021 },
  { name: 'erased-names-in-requests', sql: MIGRATION_0022 },
  { name: 'contracts', sql: MIGRATION_0024 },
  { name: 'privacy-ledger', sql: MIGRATION_0025 },
  { name: 'federations', sql: MIGRATION_0026 },
  { name: 'larger-privacy-budgets', sql: MIGRATION_0027 },
  { name: 'datasets-of-federation-jobs', sql: MIGRATION_0028 },
  { name: 'certified-agents', sql: MIGRATION_0029 },
  { name: 'rounds-aborted-in-a-row', sql: MIGRATION_0030 },
  { name: 'accusers-of-logs', sql: MIGRATION_0031 },
  { name: 'lineage-of-federations', sql: MIGRATION_0032 },
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
