import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import type pg from 'pg';
import { StoreError } from '../store-error.ts';
import { isUsableAfter, translateCommitFailure, translateFailure } from './failure.ts';

const ROWS_CHANGED = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/**
 * Kysely on a pool whose connections cannot be used after their transaction: Kysely's own driver hands out one object for each pooled
 * client, so a query that nobody awaited could run in the next organisation's transaction. Errors come as {@link StoreError}.
 */
export function guardedDialect(pool: pg.Pool): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new GuardedDriver(pool),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class GuardedDriver implements Driver {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<GuardedConnection> {
    if (this.#pool.ending) throw new StoreError('closed', 'the database was closed');
    try {
      return new GuardedConnection(await this.#pool.connect());
    } catch (error) {
      throw translateFailure(error);
    }
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const isolation = settings.isolationLevel === undefined ? '' : ` isolation level ${settings.isolationLevel}`;
    const access = settings.accessMode === undefined ? '' : ` ${settings.accessMode}`;
    await guarded(connection).run(`begin${isolation}${access}`);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await guarded(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await guarded(connection).rollback();
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    guarded(connection).release();
  }

  async destroy(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }
}

/** One lease of a pooled client; `ended` from COMMIT or ROLLBACK on. */
class GuardedConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient;
  #ended = false;
  #broken = false;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.run(query.sql, query.parameters);
    return ROWS_CHANGED.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0), rows } : { rows };
  }

  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    yield* [];
    throw new StoreError('query-failed', 'results are not streamed', { next: 'read pages by key' });
  }

  async run(text: string, parameters: readonly unknown[] = []): Promise<pg.QueryResult> {
    if (this.#ended)
      throw new StoreError('ended', 'a transaction was used after its end', { next: 'await every query' });
    try {
      return await this.#client.query(text, [...parameters]);
    } catch (error) {
      this.#broken ||= !isUsableAfter(error) && !(error instanceof StoreError);
      throw translateFailure(error);
    }
  }

  async commit(): Promise<void> {
    this.#ended = true;
    let command: string;
    try {
      command = (await this.#client.query('commit')).command;
    } catch (error) {
      this.#broken ||= !isUsableAfter(error);
      throw translateCommitFailure(error);
    }
    // The server answers COMMIT of a failed transaction with ROLLBACK and no error.
    if (command !== 'COMMIT')
      throw new StoreError('aborted', 'a statement failed and nobody noticed: the transaction was rolled back', {
        next: 'let errors of queries leave the callback',
      });
  }

  /** Never throws: the error that led here is the one worth telling, and a broken connection rolls back by itself. */
  async rollback(): Promise<void> {
    if (this.#ended || this.#broken) return;
    this.#ended = true;
    try {
      await this.#client.query('rollback');
    } catch {
      this.#broken = true;
    }
  }

  release(): void {
    this.#ended = true;
    this.#client.release(this.#broken);
  }
}

function guarded(connection: DatabaseConnection): GuardedConnection {
  if (connection instanceof GuardedConnection) return connection;
  throw new TypeError('a connection of another driver');
}
