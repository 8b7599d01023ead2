import { systemRng, type Clock, type Log, type OrgId, type Rng, type Secret } from '@ringfence/base';
import { sql, type CompiledQuery } from 'kysely';
import type { EmbeddedServer } from '../embedded/start.ts';
import { StoreError } from '../store-error.ts';
import { CALL_LIMITS, SETUP_LIMITS, clientConfig, withClient } from './connection.ts';
import { factsWhenUp } from './facts-when-up.ts';
import { Listener, channelName, type Subscription, type Wake } from './listener.ts';
import { migrate } from './migrate.ts';
import type { Migration } from './migration-plan.ts';
import { openPool, type PoolCounts, type QueryPool } from './pool.ts';
import type { DatabaseFacts } from './production.ts';
import { resolveRoles, type RoleAddresses } from './role-addresses.ts';
import { requireSchemaName } from './role-names.ts';
import { assertRowLevelSecurity } from './row-level-security.ts';
import { parseDatabaseUrl, warnOfProtection } from './server-address.ts';
import type { Store } from './store.ts';
import { atCommit, locked, Transactions, type QueryBuilder, type TransactionOptions, type Tx } from './transactions.ts';

const APP_CONNECTIONS = 16;
const SYSTEM_CONNECTIONS = 4;
const LONGEST_PAYLOAD = 200;

/** What `openDatabase` needs. */
export interface DatabaseOptions<Query extends string = string> {
  /** The embedded server, or the URL of a user that may create roles. */
  readonly source: { readonly embedded: EmbeddedServer } | { readonly url: string | Secret };
  /** Roles that exist already, as URLs; then the user of `source.url` is the owner, and no role is made or changed. */
  readonly roleUrls?: { readonly app: string | Secret; readonly system: string | Secret };
  /** Schema of this service, such as `rf_cp`; services with different schemas may share a server. */
  readonly schema: string;
  readonly migrations: readonly Migration[];
  /** Names of all queries that reach across organisations. */
  readonly systemQueries: readonly Query[];
  /** Tables without organisations' data that the application's role may reach. */
  readonly sharedTables?: readonly string[];
  /** The role's state folder; a secret is kept in it when the URL carries no password. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly rng?: Rng;
  /** Most connections as `app`; default 16. */
  readonly connections?: number;
  /** How long to wait for the database at start, in milliseconds; default 30,000. */
  readonly connectWithinMs?: number;
}

/**
 * Opens a database: makes roles and schema where they are missing, migrates, and refuses to go on unless row-level security keeps
 * organisations apart. Throws StoreError with an open code, or `unavailable` when the server does not answer in time.
 */
export async function openDatabase<DB, Query extends string = string>(
  options: DatabaseOptions<Query>,
): Promise<Store<DB, Query>> {
  requireSchemaName(options.schema);
  const { source, schema, clock, log } = options;
  const rng = options.rng ?? systemRng;
  const admin = parseDatabaseUrl('embedded' in source ? source.embedded.connectionString() : source.url);
  warnOfProtection(admin, log);
  const facts = await factsWhenUp(admin, 'embedded' in source ? 'embedded' : 'url', options);
  if (!facts.durable)
    log.warn('database.not_durable', { next: 'set fsync, full_page_writes and synchronous_commit on' });
  const addresses = await resolveRoles({ ...options, admin, rng });
  const { roles, owner, app } = addresses;
  const { migrations, sharedTables: shared = [] } = options;
  await withClient(clientConfig(owner, schema, SETUP_LIMITS), (client) =>
    migrate({ client, schema, roles, migrations, clock, log }),
  );
  await assertRowLevelSecurity({ app, schema, roles, shared });
  return new DatabaseStore<DB, Query>({ ...options, rng }, addresses, facts);
}

class DatabaseStore<DB, Query extends string> implements Store<DB, Query> {
  readonly facts: DatabaseFacts;
  readonly #schema: string;
  readonly #app: QueryPool<DB>;
  readonly #system: QueryPool<DB>;
  readonly #transactions: Transactions<DB>;
  readonly #listener: Listener;

  constructor(options: DatabaseOptions<Query> & { rng: Rng }, addresses: RoleAddresses, facts: DatabaseFacts) {
    const { schema, clock, rng, log, connections = APP_CONNECTIONS } = options;
    const config = clientConfig(addresses.app, schema, CALL_LIMITS);
    this.facts = facts;
    this.#schema = schema;
    this.#app = openPool<DB>(config, connections, { clock, log });
    this.#system = openPool<DB>(clientConfig(addresses.system, schema, CALL_LIMITS), SYSTEM_CONNECTIONS, {
      clock,
      log,
    });
    const pools = { app: this.#app, system: this.#system };
    this.#transactions = new Transactions<DB>(pools, options.systemQueries, { clock, rng });
    this.#listener = new Listener({ config, clock, rng, log });
  }

  withOrg<T>(org: OrgId, run: (tx: Tx<DB>) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.#transactions.withOrg(org, run, options);
  }

  withSystem<T>(query: Query, run: (tx: Tx<DB>) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.#transactions.withSystem(query, run, options);
  }

  listen(channel: string, onWake: (wake: Wake) => void, options: { readonly tickMs?: number } = {}): Subscription {
    return this.#listener.listen(channelName(this.#schema, channel), onWake, options.tickMs);
  }

  queryOrg<R>(
    org: OrgId,
    build: (db: QueryBuilder<DB>) => CompiledQuery<R>,
    options: { readonly readOnly?: boolean } = {},
  ): Promise<R[]> {
    return this.#transactions.queryOrg(org, build, options.readOnly === true);
  }

  querySystem<R>(
    query: Query,
    build: (db: QueryBuilder<DB>) => CompiledQuery<R>,
    options: { readonly readOnly?: boolean } = {},
  ): Promise<R[]> {
    return this.#transactions.querySystem(query, build, options.readOnly === true);
  }

  locked(tx: Tx<DB>): Promise<unknown> {
    return locked(tx);
  }

  atCommit(tx: Tx<DB>, query: CompiledQuery): void {
    atCommit(tx, query);
  }

  async notify(tx: Tx<DB>, channel: string, payload: string | readonly string[] = ''): Promise<void> {
    const payloads = typeof payload === 'string' ? [payload] : payload;
    if (payloads.some((one) => Buffer.byteLength(one) > LONGEST_PAYLOAD))
      throw new StoreError('bad-options', `a notification carries an id of at most ${LONGEST_PAYLOAD} bytes`);
    const name = channelName(this.#schema, channel);
    atCommit(tx, sql`select pg_notify(${name}, payload) from unnest(${payloads}::text[]) as payload`.compile(tx));
  }

  async ping(): Promise<void> {
    const probes = [this.#app, this.#system].map((pool) => sql`select 1`.execute(pool.db));
    await Promise.all(probes);
  }

  counts(): { app: PoolCounts; system: PoolCounts } {
    return { app: this.#app.counts(), system: this.#system.counts() };
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener.close(), this.#app.close(), this.#system.close()]);
  }
}
