import type pg from 'pg';
import { StoreError } from '../store-error.ts';
import type { DatabaseFacts } from './production.ts';
import type { Protection } from './server-address.ts';

const OLDEST = 15;

interface Row {
  readonly version: string;
  readonly number: number;
  readonly standby: boolean;
  readonly durable: boolean;
  readonly superuser: boolean;
}

/** Asks the server what it is. Throws `unsupported-server` when it is too old, `unavailable` when it is a standby. */
export async function readServerFacts(
  client: pg.Client,
  kind: DatabaseFacts['kind'],
  protection: Protection,
): Promise<DatabaseFacts> {
  const { rows } = await client.query<Row>(`
    select split_part(current_setting('server_version'), ' ', 1) as version,
      current_setting('server_version_num')::integer as number, pg_is_in_recovery() as standby,
      current_setting('fsync')::boolean and current_setting('full_page_writes')::boolean
        and current_setting('synchronous_commit') <> 'off' as durable,
      coalesce((select rolsuper from pg_roles where rolname = current_user), false) as superuser`);
  const row = rows[0];
  if (row === undefined || row.number < OLDEST * 10_000)
    throw new StoreError('unsupported-server', `PostgreSQL ${OLDEST} or newer is needed`, {
      next: 'update the server',
    });
  if (row.standby)
    throw new StoreError('unavailable', 'the database is a standby', { next: 'name the primary server' });
  return { kind, protection, serverVersion: row.version, durable: row.durable, superuser: row.superuser };
}
