import { randomBelow, sleep, type Clock, type OrgId, type Rng } from '@ringfence/base';
import { Transaction, type CompiledQuery, type Kysely, type KyselyProps } from 'kysely';
import pg from 'pg';
import { StoreError } from '../store-error.ts';
import { beginText, guarded } from './guarded-dialect.ts';
import type { GuardedConnection } from './guarded-connection.ts';
import type { QueryPool } from './pool.ts';

const FIRST_BACKOFF_MS = 5;
const MOST_RETRIES = 10;

/** A transaction's handle: Kysely's query builder, good until the callback returns. */
export type Tx<DB> = Omit<Transaction<DB>, 'connection' | 'transaction' | 'startTransaction' | 'destroy'>;

/** What a single statement is built on; it runs nothing itself. */
export type QueryBuilder<DB> = Pick<
  Kysely<DB>,
  'selectFrom' | 'insertInto' | 'updateTable' | 'deleteFrom' | 'with' | 'getExecutor'
>;

/** How a transaction runs. */
export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
  /** Sent before all other statements, together with the first of them; it has to find a row, which `locked` gives. */
  readonly lock?: CompiledQuery;
  /**
   * How often the callback runs again after a serialization failure or deadlock: 0 to 10, default 0. With retries the callback must
   * have no effect outside the transaction.
   */
  readonly retries?: number;
}

/** Runs transactions in one of the two roles. */
export class Transactions<DB> {
  readonly #pools: { readonly app: QueryPool<DB>; readonly system: QueryPool<DB> };
  readonly #queries: ReadonlySet<string>;
  readonly #time: { readonly clock: Clock; readonly rng: Rng };

  constructor(
    pools: { readonly app: QueryPool<DB>; readonly system: QueryPool<DB> },
    queries: readonly string[],
    time: { readonly clock: Clock; readonly rng: Rng },
  ) {
    this.#pools = pools;
    this.#queries = new Set(queries);
    this.#time = time;
  }

  async withOrg<T>(org: OrgId, run: (tx: Tx<DB>) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.#retrying(options, () => transact(this.#pools.app, { ...options, ...ofOrg(org) }, run));
  }

  async withSystem<T>(query: string, run: (tx: Tx<DB>) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const setting = this.#ofQuery(query);
    return this.#retrying(options, () => transact(this.#pools.system, { ...options, ...setting }, run));
  }

  async queryOrg<R>(org: OrgId, build: (db: QueryBuilder<DB>) => CompiledQuery<R>, readOnly: boolean): Promise<R[]> {
    return single(this.#pools.app, { readOnly, ...ofOrg(org) }, build);
  }

  async querySystem<R>(
    query: string,
    build: (db: QueryBuilder<DB>) => CompiledQuery<R>,
    readOnly: boolean,
  ): Promise<R[]> {
    return single(this.#pools.system, { readOnly, ...this.#ofQuery(query) }, build);
  }

  #ofQuery(query: string): Setting {
    if (!this.#queries.has(query))
      throw new StoreError('undeclared-query', 'a query across organisations is not on the declared list', {
        next: 'declare its name in systemQueries of openDatabase',
      });
    return { name: 'rf.query', value: query };
  }

  async #retrying<T>(options: TransactionOptions, attempt: () => Promise<T>): Promise<T> {
    const retries = Math.min(options.retries ?? 0, MOST_RETRIES);
    for (let failed = 0; ; failed += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (failed >= retries || !(error instanceof StoreError) || error.code !== 'conflict') throw error;
        await sleep(this.#time.clock, 1 + randomBelow(this.#time.rng, FIRST_BACKOFF_MS * 2 ** failed));
      }
    }
  }
}

interface Setting {
  readonly name: 'rf.org' | 'rf.query';
  readonly value: string;
}

const connections = new WeakMap<object, GuardedConnection>();

/** Sends a statement whose answer nobody needs together with the transaction's COMMIT, after all others. */
export function atCommit<DB>(tx: Tx<DB>, query: CompiledQuery): void {
  connectionOf(tx).atCommit(query);
}

/** The row that the lock of a transaction found. */
export function locked<DB>(tx: Tx<DB>): Promise<unknown> {
  return connectionOf(tx).locked();
}

function connectionOf(tx: object): GuardedConnection {
  const connection = connections.get(tx);
  if (connection === undefined) throw new TypeError('not a transaction of this store');
  return connection;
}

async function transact<DB, T>(
  { db, props }: QueryPool<DB>,
  options: TransactionOptions & Setting,
  run: (tx: Tx<DB>) => Promise<T>,
): Promise<T> {
  return db.getExecutor().provideConnection(async (lease) => {
    const connection = guarded(lease);
    connection.begin(beginning(options), options.lock);
    const tx = onConnection<DB>(props, connection);
    try {
      const result = await run(tx);
      await connection.commit();
      return result;
    } catch (error) {
      await connection.rollback();
      throw readOnlyFailure(error, options);
    }
  });
}

/** Begin, statement and COMMIT in one round trip. */
async function single<DB, R>(
  { db }: QueryPool<DB>,
  options: TransactionOptions & Setting,
  build: (db: QueryBuilder<DB>) => CompiledQuery<R>,
): Promise<R[]> {
  const query = build(db);
  return db.getExecutor().provideConnection(async (lease) => {
    const connection = guarded(lease);
    connection.begin(beginning(options));
    connection.atCommit(query);
    try {
      return (await connection.commit<R>()).rows;
    } catch (error) {
      throw readOnlyFailure(error, options);
    }
  });
}

/** Local to the transaction: the connection goes back to the pool without the setting. */
function beginning({ isolation = 'read committed', readOnly, name, value }: TransactionOptions & Setting): string {
  const begin = beginText({ isolationLevel: isolation, accessMode: readOnly === true ? 'read only' : 'read write' });
  return `${begin}; select set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`;
}

function onConnection<DB>(props: KyselyProps, connection: GuardedConnection): Transaction<DB> {
  // Queries that do not wait for each other share a round trip; Kysely's own transactions send one at a time.
  const executor = props.executor.withConnectionProvider({ provideConnection: (use) => use(connection) });
  const tx = new Transaction<DB>({ ...props, executor });
  connections.set(tx, connection);
  return tx;
}

/** Where nothing was to be changed, nothing is unknown. */
function readOnlyFailure(error: unknown, { readOnly }: TransactionOptions): unknown {
  if (readOnly !== true || !(error instanceof StoreError) || error.code !== 'outcome-unknown') return error;
  return new StoreError('unavailable', 'the database does not answer', { cause: error });
}

function ofOrg(org: OrgId): Setting {
  return { name: 'rf.org', value: org };
}
