import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLog, systemRng, type OrgId } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { until as untilHolds } from '@ringfence/base/until';
import pg from 'pg';
import { removeEmbedded, startEmbedded, type EmbeddedServer } from '../embedded/start.ts';
import { openDatabase, type DatabaseOptions } from './open.ts';
import { orgTable } from './org-table.ts';
import type { Store } from './store.ts';

/** Tables of the tests. */
export interface Tables {
  note: { org: string; id: number; text: string };
}

/** A table of organisations' rows, as an application's first migration makes it. */
export const NOTES = {
  id: 1,
  name: 'notes',
  sql: `create table note (org text not null, id integer not null, text text not null, primary key (org, id));
${orgTable('note', { app: ['select', 'insert', 'update', 'delete'], system: ['select'] })}`,
} as const;

/** Two organisations. */
export const [ORG_A, ORG_B]: readonly [OrgId, OrgId] = [newId('org', systemRng), newId('org', systemRng)];

/** An embedded server of one test file, and schemas on it. */
export interface TestServer {
  readonly server: EmbeddedServer;
  readonly stateDir: string;
  readonly url: string;
  open(schema: string, options?: Partial<DatabaseOptions<'count-notes'>>): Promise<Store<Tables, 'count-notes'>>;
  /** Runs SQL as the superuser, outside of everything under test. */
  asSuperuser(sql: string): Promise<Record<string, unknown>[]>;
  remove(): Promise<void>;
}

/** Starts an embedded server in a temporary state folder. */
export async function startTestServer(): Promise<TestServer> {
  const stateDir = mkdtempSync(join(tmpdir(), 'rf-test-'));
  const server = await startEmbedded({ stateDir, log: silentLog, clock });
  const url = Buffer.from(server.connectionString().expose()).toString();
  return {
    server,
    stateDir,
    url,
    open: (schema, options) =>
      openDatabase<Tables, 'count-notes'>({
        source: { embedded: server },
        schema,
        migrations: [NOTES],
        systemQueries: ['count-notes'],
        stateDir,
        clock,
        log: silentLog,
        ...options,
      }),
    asSuperuser: (sql) => runSql(url, sql),
    remove: async () => {
      await server.stop();
      await removeEmbedded({ stateDir, clock });
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** Runs SQL on a connection of its own. */
export async function runSql(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until `condition` holds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  await untilHolds(condition, what);
}
