// Databases of their own for tests that bring no server: on the one of the whole run, or each on one of its own.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemRng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import pg from 'pg';
import { removeEmbedded, startEmbedded } from '../embedded/start.ts';
import { lockKey } from './advisory-lock.ts';
import { resolveRoles } from './role-addresses.ts';
import { parseDatabaseUrl } from './server-address.ts';

/** Where the test runner says which server all test files share: a superuser's URL. */
export const TEST_SERVER_VARIABLE = 'RINGFENCE_TEST_SERVER';
/** Several test files at a time, each with a replica or two. */
const CONNECTIONS = 300;

/** A server for the databases of many tests. */
export interface SharedServer {
  /** URL of the superuser. */
  readonly url: string;
  readonly remove: () => Promise<void>;
}

/** A database that nobody else uses. */
export interface TestDatabase {
  /** URL of the superuser. */
  readonly url: string;
  /** Ends its connections and deletes it. */
  readonly drop: () => Promise<void>;
}

/** Starts an embedded server that takes the connections of many tests. */
export async function startSharedServer(): Promise<SharedServer> {
  const stateDir = mkdtempSync(join(tmpdir(), 'rf-test-server-'));
  const server = await startEmbedded({ stateDir, log: silentLog, clock, connections: CONNECTIONS });
  return {
    url: Buffer.from(server.connectionString().expose()).toString(),
    async remove() {
      await server.stop();
      await removeEmbedded({ stateDir, clock });
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** Makes an empty database in which `schema` and its roles are there, as an operator may prepare one. */
export async function createTestDatabase(schema: string): Promise<TestDatabase> {
  const shared = process.env[TEST_SERVER_VARIABLE];
  if (shared !== undefined) return addDatabase(shared, schema);
  const server = await startSharedServer();
  const { url, drop } = await addDatabase(server.url, schema);
  return { url, drop: () => drop().then(server.remove) };
}

async function addDatabase(server: string, schema: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const url = server.replace(/\/\w+$/, `/${name}`);
  await asAdmin(server, async (admin) => {
    await admin.query(`create database ${name}`);
    // Roles belong to the whole server, and the lock under which a replica makes them to its database alone.
    await admin.query('select pg_advisory_lock($1::bigint)', [lockKey(schema, 'roles')]);
    await resolveRoles({ admin: parseDatabaseUrl(url), schema, stateDir: tmpdir(), rng: systemRng });
  });
  return { url, drop: () => asAdmin(server, (admin) => admin.query(`drop database ${name} with (force)`)) };
}

/** Runs a statement as the superuser of `url`: what no role of a service may do to its database. */
export async function runAsSuperuser(url: string, statement: string): Promise<void> {
  await asAdmin(url, (admin) => admin.query(statement));
}

async function asAdmin(url: string, run: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await run(client);
  } finally {
    await client.end();
  }
}
