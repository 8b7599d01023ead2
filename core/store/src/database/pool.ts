import { sleep, type Clock, type Log } from '@ringfence/base';
import { Kysely, type KyselyProps } from 'kysely';
import pg from 'pg';
import { ConnectionQueue } from './connection-queue.ts';
import { guardedDialect } from './guarded-dialect.ts';

const IDLE_MS = 30_000;
/** How long running transactions may take to end when the pool is closed. */
const END_WITHIN_MS = 10_000;
/** How long a call waits for others to end. */
const QUEUE_WITHIN_MS = 20_000;

/** Statements leave without waiting for the answers of those before them; the types of `pg` do not know the option yet. */
const PIPELINED: object = { pipeline: true };

/** How many connections there are, idle ones included, and how many calls wait for one. */
export interface PoolCounts {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

/** A pool with Kysely on it. */
export interface QueryPool<DB> {
  readonly db: Kysely<DB>;
  /** What a transaction's Kysely is made of. */
  readonly props: KyselyProps;
  counts(): PoolCounts;
  /** Waits up to 10 s for running transactions, then cuts their connections, which rolls them back. */
  close(): Promise<void>;
}

/** Opens a pool of at most `max` connections; it makes the first one when it is needed and replaces broken ones. */
export function openPool<DB>(
  config: pg.ClientConfig,
  max: number,
  parts: { readonly clock: Clock; readonly log: Log },
): QueryPool<DB> {
  const pool = new pg.Pool({ ...config, max, idleTimeoutMillis: IDLE_MS, ...PIPELINED });
  const queue = new ConnectionQueue({ most: max, withinMs: QUEUE_WITHIN_MS, clock: parts.clock });
  const clients = new Set<pg.Client>();
  pool.on('error', () => parts.log.debug('database.idle_connection_lost'));
  pool.on('connect', (client) => {
    // A connection that breaks between two queries of a transaction has no other listener, which would end the process.
    client.on('error', () => {});
    if (!(client instanceof pg.Client)) return;
    clients.add(client);
    client.once('end', () => clients.delete(client));
  });
  const dialect = guardedDialect(pool, queue);
  const db = new Kysely<DB>({ dialect });
  return {
    db,
    props: { config: { dialect }, driver: dialect.createDriver(), executor: db.getExecutor(), dialect },
    counts: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: queue.waiting }),
    close: async () => {
      if (pool.ending) return;
      const ended = new AbortController();
      const end = pool.end().then(() => ended.abort());
      await sleep(parts.clock, END_WITHIN_MS, ended.signal);
      if (ended.signal.aborted) return end;
      await Promise.all([...clients].map((client) => client.end()));
    },
  };
}
