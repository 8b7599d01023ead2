import { StoreError } from '../store-error.ts';
import pg from 'pg';
import type { ServerAddress } from './server-address.ts';
import { translateFailure } from './failure.ts';

const CONNECT_WITHIN_MS = 5_000;
const CLIENT_GRACE_MS = 5_000;

/** Limits of one session, in milliseconds. */
export interface SessionLimits {
  /** A statement that runs longer is cancelled. */
  readonly statementMs: number;
  /** A statement that waits longer for a lock is cancelled. */
  readonly lockMs: number;
  /** A transaction that does nothing for longer is ended with its connection. */
  readonly idleInTransactionMs: number;
}

/** Limits of calls: an interactive service, not a warehouse. */
export const CALL_LIMITS: SessionLimits = { statementMs: 15_000, lockMs: 5_000, idleInTransactionMs: 30_000 };
/** Limits of migrations and provisioning; the lock wait covers another process that migrates. */
export const SETUP_LIMITS: SessionLimits = { statementMs: 600_000, lockMs: 120_000, idleInTransactionMs: 60_000 };

/** node-postgres' settings for a session of `address` with `schema` as its only search path. */
export function clientConfig(address: ServerAddress, schema: string, limits: SessionLimits): pg.ClientConfig {
  const { password } = address;
  return {
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    ssl: address.tls ?? false,
    ...(password === undefined ? {} : { password: () => Buffer.from(password.expose()).toString() }),
    application_name: 'ringfence',
    // pg_temp last: a temporary table must not stand in for one of ours.
    options: `-c search_path=${schema},pg_temp -c timezone=UTC`,
    statement_timeout: limits.statementMs,
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs,
    query_timeout: limits.statementMs + CLIENT_GRACE_MS,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    types: { getTypeParser: typeParser },
  };
}

/** Runs `use` on a connection of its own and closes it. Failures come as StoreError. */
export async function withClient<T>(config: pg.ClientConfig, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(config);
  // The failure of the running query says it too; without a listener a broken connection would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } catch (error) {
    throw translateFailure(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/** bigint columns arrive as numbers; one that a number cannot hold is an error and never a rounded value. */
const typeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 && format !== 'binary' ? parseBigint : pg.types.getTypeParser(oid, format as 'text');

function parseBigint(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new StoreError('query-failed', 'a bigint of a result is beyond 2^53', { next: 'cast the column to text' });
}
