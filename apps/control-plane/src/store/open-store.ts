import {
  openServiceDatabase,
  type OpenStore as OpenServiceStore,
  type ServicePlace,
  type Store,
  type Tx as StoreTx,
} from '@ringfence/store';
import { MIGRATION_0001 } from './migration-0001.ts';
import { MIGRATION_0002 } from './migration-0002.ts';
import { MIGRATION_0003 } from './migration-0003.ts';
import { MIGRATION_0004 } from './migration-0004.ts';
import { MIGRATION_0005 } from './migration-0005.ts';
import { MIGRATION_0006 } from './migration-0006.ts';
import { MIGRATION_0007 } from './migration-0007.ts';
import { MIGRATION_0010 } from './migration-0010.ts';
import { MIGRATION_0009 } from './migration-0009.ts';
import { MIGRATION_0012 } from './migration-0012.ts';
import { MIGRATION_0008 } from './migration-0008.ts';
import { MIGRATION_0011 } from './migration-0011.ts';
import { MIGRATION_0013 } from './migration-0013.ts';
import { MIGRATION_0014 } from './migration-0014.ts';
import { MIGRATION_0015 } from './migration-0015.ts';
import { MIGRATION_0016 } from './migration-0016.ts';
import { MIGRATION_0019 } from './migration-0019.ts';
import { MIGRATION_0017 } from './migration-0017.ts';
import { MIGRATION_0020 } from './migration-0020.ts';
import type { ControlPlaneTables } from './tables.ts';

/** Where the control plane's tables are in a database that others may share. */
export const SCHEMA = 'rf_cp';

/** Every query that reaches across organisations, by name. */
export const SYSTEM_QUERIES = [
  'authenticate-device',
  'find-party',
  'authenticate-session',
  'find-member',
  'find-invitation',
  'wrong-tries',
  'forget-sessions',
  'forget-notices',
  'held-locks',
  'take-registration-code',
  'make-registration-code',
  'register-organisation',
  'hold-placer-term',
  'waiting-jobs',
  'waiting-parties',
  'live-leases',
  'renew-leases',
  'due-jobs',
  'due-retries',
  'pools',
  'ended-papers',
  'ended-avoidances',
  'unheeded-stops',
  'forget-nonces',
  'logs-behind',
  'begin-ceremony',
  'spend-ceremony',
  'forget-ceremonies',
  'find-passkey',
  'find-sso-provider',
  'find-federation',
  'authenticate-account-key',
  'forget-tokens',
  'gauges',
] as const;

/** One of {@link SYSTEM_QUERIES}. */
export type SystemQuery = (typeof SYSTEM_QUERIES)[number];
/** The control plane's database. */
export type ControlPlaneStore = Store<ControlPlaneTables, SystemQuery>;
/** A transaction in it. */
export type Tx = StoreTx<ControlPlaneTables>;

/** An open store, and the server below it when it is embedded. */
export type OpenStore = OpenServiceStore<ControlPlaneTables, SystemQuery>;

/** In their order, which never changes. */
const MIGRATIONS = [
  { name: 'first-tables', sql: MIGRATION_0001 },
  { name: 'parked-jobs', sql: MIGRATION_0002 },
  { name: 'counted-renewals', sql: MIGRATION_0003 },
  { name: 'counted-losses', sql: MIGRATION_0004 },
  { name: 'site-evidence', sql: MIGRATION_0005 },
  { name: 'vouched-places', sql: MIGRATION_0006 },
  { name: 'attempt-ends', sql: MIGRATION_0012 },
  { name: 'queue', sql: MIGRATION_0008 },
  { name: 'pools', sql: MIGRATION_0007 },
  { name: 'leases-stored-once', sql: MIGRATION_0010 },
  { name: 'admissions-and-avoidances', sql: MIGRATION_0009 },
  { name: 'time-run', sql: MIGRATION_0011 },
  { name: 'told-changes', sql: MIGRATION_0013 },
  { name: 'pools-counted-from', sql: MIGRATION_0014 },
  { name: 'members-and-sessions', sql: MIGRATION_0015 },
  { name: 'device-roles', sql: MIGRATION_0019 },
  { name: 'audit-logs', sql: MIGRATION_0017 },
  { name: 'locks', sql: MIGRATION_0016 },
  { name: 'notices', sql: MIGRATION_0020 },
] as const;

/** Opens the database at `url`, or the embedded one of the state folder, and migrates it. */
export function openStore(place: ServicePlace): Promise<OpenStore> {
  return openServiceDatabase<ControlPlaneTables, SystemQuery>(place, {
    schema: SCHEMA,
    migrations: MIGRATIONS.map((step, at) => ({ id: at + 1, ...step })),
    systemQueries: SYSTEM_QUERIES,
    sharedTables: ['placer_term'],
  });
}
