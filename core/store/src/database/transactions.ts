import { randomBelow, sleep, type Clock, type OrgId, type Rng } from '@ringfence/base';
import { sql, type Kysely, type Transaction } from 'kysely';
import { StoreError } from '../store-error.ts';
import type { QueryPool } from './pool.ts';

const FIRST_BACKOFF_MS = 5;
const MOST_RETRIES = 10;

/** A transaction's handle: Kysely's query builder, good until the callback returns. */
export type Tx<DB> = Omit<Transaction<DB>, 'connection' | 'transaction' | 'startTransaction' | 'destroy'>;

/** How a transaction runs. */
export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
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
    return this.#retrying(options, () => transact(this.#pools.app.db, options, { name: 'rf.org', value: org }, run));
  }

  async withSystem<T>(query: string, run: (tx: Tx<DB>) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (!this.#queries.has(query))
      throw new StoreError('undeclared-query', 'a query across organisations is not on the declared list', {
        next: 'declare its name in systemQueries of openDatabase',
      });
    const setting = { name: 'rf.query', value: query };
    return this.#retrying(options, () => transact(this.#pools.system.db, options, setting, run));
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

function transact<DB, T>(
  db: Kysely<DB>,
  options: TransactionOptions,
  setting: { readonly name: string; readonly value: string },
  run: (tx: Tx<DB>) => Promise<T>,
): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel(options.isolation ?? 'read committed')
    .setAccessMode(options.readOnly === true ? 'read only' : 'read write')
    .execute(async (tx) => {
      // Local to the transaction: the connection goes back to the pool without it.
      await sql`select set_config(${setting.name}, ${setting.value}, true)`.execute(tx);
      return run(tx);
    });
}
