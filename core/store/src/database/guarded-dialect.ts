import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type TransactionSettings,
} from 'kysely';
import type pg from 'pg';
import { StoreError } from '../store-error.ts';
import type { ConnectionQueue } from './connection-queue.ts';
import { translateFailure } from './failure.ts';
import { GuardedConnection } from './guarded-connection.ts';

/**
 * Kysely on a pool whose connections cannot be used after their transaction: Kysely's own driver hands out one object for each pooled
 * client, so a query that nobody awaited could run in the next organisation's transaction. Errors come as {@link StoreError}.
 */
export function guardedDialect(pool: pg.Pool, queue: ConnectionQueue): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new GuardedDriver(pool, queue),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class GuardedDriver implements Driver {
  readonly #pool: pg.Pool;
  readonly #queue: ConnectionQueue;

  constructor(pool: pg.Pool, queue: ConnectionQueue) {
    this.#pool = pool;
    this.#queue = queue;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<GuardedConnection> {
    if (this.#pool.ending) throw closed();
    await this.#queue.enter();
    try {
      if (this.#pool.ending) throw closed();
      return new GuardedConnection(await this.#pool.connect());
    } catch (error) {
      this.#queue.leave();
      throw translateFailure(error);
    }
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    guarded(connection).begin(beginText(settings));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await guarded(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await guarded(connection).rollback();
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    guarded(connection).release();
    this.#queue.leave();
  }

  async destroy(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }
}

/** The statement that begins a transaction of these settings. */
export function beginText({ isolationLevel, accessMode }: TransactionSettings): string {
  const isolation = isolationLevel === undefined ? '' : ` isolation level ${isolationLevel}`;
  return `begin${isolation}${accessMode === undefined ? '' : ` ${accessMode}`}`;
}

/** A connection of this driver; throws TypeError for one of another. */
export function guarded(connection: DatabaseConnection): GuardedConnection {
  if (connection instanceof GuardedConnection) return connection;
  throw new TypeError('a connection of another driver');
}

function closed(): StoreError {
  return new StoreError('closed', 'the database was closed');
}
