import type { OrgId } from '@ringfence/base';
import type { CompiledQuery } from 'kysely';
import type { Subscription, Wake } from './listener.ts';
import type { PoolCounts } from './pool.ts';
import type { DatabaseFacts } from './production.ts';
import type { QueryBuilder, TransactionOptions, Tx } from './transactions.ts';

/**
 * An open database. Rows are reached through `withOrg` and `withSystem` only. All calls throw StoreError with a call code; while the
 * database is away that is `unavailable`, and calls succeed again by themselves when it is back.
 */
export interface Store<DB, Query extends string = string> {
  /** Runs `run` in one transaction as the role `app`, which sees and writes rows of `org` alone. */
  withOrg<T>(org: OrgId, run: (tx: Tx<DB>) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Runs the declared cross-organisation query `query` in one transaction as the role `system`; policies may read `rf.query`. */
  withSystem<T>(query: Query, run: (tx: Tx<DB>) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Runs one statement as `withOrg` would, in one round trip with begin and commit; its rows. */
  queryOrg<R>(
    org: OrgId,
    build: (db: QueryBuilder<DB>) => CompiledQuery<R>,
    options?: { readonly readOnly?: boolean },
  ): Promise<R[]>;
  /** The same as `withSystem` would. */
  querySystem<R>(
    query: Query,
    build: (db: QueryBuilder<DB>) => CompiledQuery<R>,
    options?: { readonly readOnly?: boolean },
  ): Promise<R[]>;
  /** The row that the `lock` of `tx` found. */
  locked(tx: Tx<DB>): Promise<unknown>;
  /** Sends a statement whose answer nobody needs together with the COMMIT of `tx`; when it fails the transaction does. */
  atCommit(tx: Tx<DB>, query: CompiledQuery): void;
  /**
   * Calls `onWake` when somebody notified `channel`, when notifications may have been lost, and every `tickMs` milliseconds (default
   * 5,000) regardless: a lost notification delays and never loses work.
   */
  listen(channel: string, onWake: (wake: Wake) => void, options?: { readonly tickMs?: number }): Subscription;
  /**
   * Wakes the listeners of `channel` when `tx` commits, once for each payload. A payload is an id of at most 200 bytes; every role of the database
   * can read it.
   */
  notify(tx: Tx<DB>, channel: string, payload?: string | readonly string[]): Promise<void>;
  /** One round trip in both roles; throws when one cannot be served. */
  ping(): Promise<void>;
  /** Connections by role. */
  counts(): { readonly app: PoolCounts; readonly system: PoolCounts };
  readonly facts: DatabaseFacts;
  /** Waits for running transactions and closes all connections; an embedded server goes on running. */
  close(): Promise<void>;
}
