import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog, type Log } from '@ringfence/base';
import pg from 'pg';
import { lockKey } from './advisory-lock.ts';
import { NOTES, ORG_A, startTestServer, until, type TestServer } from './database.fixture.ts';
import type { Migration } from './migration-plan.ts';

const FIXTURE = fileURLToPath(new URL('open.fixture.ts', import.meta.url));

describe('migrations', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.remove());

  const openAndClose = async (
    schema: string,
    migrations: readonly Migration[],
    log: Log = silentLog,
  ): Promise<void> => {
    const store = await server.open(schema, { migrations, log });
    await store.close();
  };
  const second = (sql: string): Migration => ({ id: 2, name: 'second', sql });

  test('each step runs once, as the owner, with the real role names', async () => {
    const lines: string[] = [];
    const log: Log = { ...silentLog, info: (event, fields) => void lines.push(`${event} ${fields?.count}`) };
    const grant = second('create table shelf (org text); drop table shelf; grant select (id) on note to rf_system;');
    await openAndClose('rf_m1', [NOTES], log);
    await openAndClose('rf_m1', [NOTES, grant], log);
    await openAndClose('rf_m1', [NOTES, grant], log);
    assert.deepEqual(lines, ['database.migrated 1', 'database.migrated 2']);
    const rows = await server.asSuperuser(`select id, name, length(checksum) as n from rf_m1.migration order by id`);
    assert.deepEqual(rows, [
      { id: 1, name: 'notes', n: 64 },
      { id: 2, name: 'second', n: 64 },
    ]);
    const owner = await server.asSuperuser(`select tableowner from pg_tables where schemaname = 'rf_m1' order by 1`);
    assert.deepEqual(owner, [{ tableowner: 'rf_m1_owner' }, { tableowner: 'rf_m1_owner' }]);
  });

  test('a past step that was edited, and a database newer than the release, are refused', async () => {
    await openAndClose('rf_m2', [NOTES, second('select 1')]);
    const edited = openAndClose('rf_m2', [{ ...NOTES, sql: `${NOTES.sql} ` }, second('select 1')]);
    await assert.rejects(edited, { code: 'migration-changed' });
    await assert.rejects(openAndClose('rf_m2', [NOTES]), { code: 'database-newer' });
    await openAndClose('rf_m2', [NOTES, second('select 1')]);
  });

  test('a step that fails half way leaves nothing, and says which one it was', async () => {
    const bad = second('create table half (org text); select 1 / 0;');
    await assert.rejects(openAndClose('rf_m3', [NOTES, bad]), {
      code: 'migration-failed',
      sqlState: '22012',
      message: 'migration 2 (second) failed (SQLSTATE 22012)',
    });
    const left = await server.asSuperuser(
      `select to_regclass('rf_m3.half') as half, (select count(*)::int from rf_m3.migration) as n`,
    );
    assert.deepEqual(left, [{ half: null, n: 1 }]);
  });

  test('two processes that migrate at the same time run each step once', async () => {
    const schema = 'rf_m4';
    await openAndClose(schema, []);
    const steps = [
      NOTES,
      second(`create table once (n int); insert into once values (1); revoke all on once from rf_app`),
    ];
    const holder = new pg.Client({ connectionString: server.url });
    await holder.connect();
    const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'rf-test-')));
    try {
      await holder.query('select pg_advisory_lock($1::bigint)', [lockKey(schema, 'migrations')]);
      const runs = folders.map((stateDir) => {
        const child = spawn(process.execPath, [FIXTURE], { stdio: ['pipe', 'pipe', 'inherit'] });
        child.stdin.end(JSON.stringify({ url: server.url, schema, migrations: steps, stateDir }));
        return text(child.stdout);
      });
      const waiting = `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted`;
      await until('both wait for the lock', async () => (await server.asSuperuser(waiting))[0]?.['n'] === 2);
      await holder.query('select pg_advisory_unlock_all()');
      assert.deepEqual(await Promise.all(runs), ['opened\n', 'opened\n']);
    } finally {
      await holder.end();
      for (const folder of folders) rmSync(folder, { recursive: true });
    }
    const rows = await server.asSuperuser(
      `select (select count(*)::int from rf_m4.once) as n, (select count(*)::int from rf_m4.migration) as m`,
    );
    assert.deepEqual(rows, [{ n: 1, m: 2 }]);
  });

  test('a step can change rows under forced row-level security by lifting it', async () => {
    const schema = 'rf_m5';
    const store = await server.open(schema);
    await store.withOrg(ORG_A, (tx) => tx.insertInto('note').values({ org: ORG_A, id: 1, text: 'old' }).execute());
    await store.close();
    const change = `alter table note no force row level security; update note set text = 'new'; alter table note force row level security;`;
    await openAndClose(schema, [NOTES, second(change)]);
    assert.deepEqual(await server.asSuperuser('select text from rf_m5.note'), [{ text: 'new' }]);
  });

  test('schemas with names that are none are refused', async () => {
    for (const schema of ['public', 'pg_x', 'Rf', 'rf-cp', '', 'a; drop schema x'])
      await assert.rejects(openAndClose(schema, []), { code: 'bad-options' });
  });
});
