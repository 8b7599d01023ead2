import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { debianPostgresqlBin, missing } from '../../../../scripts/needs.ts';
import { StoreError } from '../store-error.ts';
import { NOTES, ORG_A, ORG_B, type Tables } from './database.fixture.ts';
import { startDebianServer, type DebianServer } from './debian-server.fixture.ts';
import { openDatabase, type DatabaseOptions } from './open.ts';
import { judgeProduction } from './production.ts';
import type { Store } from './store.ts';

describe('a database URL', { skip: missing('debian-postgresql') }, () => {
  let server: DebianServer;
  const folders: string[] = [];
  const folder = (): string => {
    folders.push(mkdtempSync(join(tmpdir(), 'rf-test-')));
    return folders.at(-1) ?? '';
  };
  before(async () => {
    server = await startDebianServer(debianPostgresqlBin() ?? '');
    await server.asSuperuser('postgres', `create role deploy login createrole password 'deploy-word'`);
    await server.asSuperuser('postgres', `create role peer login createrole`);
    await server.asSuperuser('postgres', `create role plain login password 'plain'`);
    for (const [name, owner] of [
      ['main', 'deploy'],
      ['second', 'peer'],
      ['given', 'plain'],
    ])
      await server.asSuperuser('postgres', `create database ${name} owner ${owner}`);
  });
  after(async () => {
    await server.stop();
    for (const path of folders) rmSync(path, { recursive: true });
  });

  const open = (
    url: string,
    options: Partial<DatabaseOptions<'count-notes'>> = {},
  ): Promise<Store<Tables, 'count-notes'>> =>
    openDatabase<Tables, 'count-notes'>({
      source: { url },
      schema: 'rf_u',
      migrations: [NOTES],
      systemQueries: ['count-notes'],
      stateDir: folder(),
      clock,
      log: silentLog,
      connectWithinMs: 0,
      ...options,
    });

  async function useStore(store: Store<Tables, 'count-notes'>, id: number): Promise<void> {
    for (const org of [ORG_A, ORG_B])
      await store.withOrg(org, (tx) => tx.insertInto('note').values({ org, id, text: 'x' }).execute());
    const seen = await store.withOrg(ORG_A, (tx) => tx.selectFrom('note').select('org').distinct().execute());
    assert.deepEqual(seen, [{ org: ORG_A }]);
    await store.ping();
  }

  test('of an owner with CREATEROLE is enough; replicas with their own folders agree on passwords', async () => {
    const url = server.url('deploy', 'deploy-word', 'main');
    const verifiers = (): Promise<unknown> =>
      server.asSuperuser('main', `select rolname, rolpassword from pg_authid where rolname like 'rf_u%' order by 1`);
    const [first, second] = await Promise.all([open(url), open(url)]);
    const made = await verifiers();
    await useStore(first, 1);
    await useStore(second, 2);
    const third = await open(url);
    assert.deepEqual(await verifiers(), made);
    await useStore(third, 3);
    assert.deepEqual(judgeProduction(first.facts), { allow: true });
    assert.equal(first.facts.kind, 'url');
    for (const store of [first, second, third]) await store.close();
    for (const path of folders) assert.equal(existsSync(join(path, 'database')), false);
  });

  test('with another password sets the passwords of the roles anew', async () => {
    await server.asSuperuser('main', `alter role deploy password 'other-word'`);
    const store = await open(server.url('deploy', 'other-word', 'main'));
    await useStore(store, 4);
    await store.close();
  });

  test('without a password takes a secret that is kept in the state folder', async () => {
    const stateDir = folder();
    for (const id of [1, 2]) {
      const store = await open(server.url('peer', '', 'second'), { stateDir, schema: 'rf_p' });
      await useStore(store, id);
      await store.close();
    }
    const secret = join(stateDir, 'database', 'role-secret');
    assert.equal(statSync(secret).mode & 0o777, 0o600);
    assert.match(readFileSync(secret, 'utf8'), /^[\w-]{43}$/);
  });

  test('of a superuser works, and doctor does not like it', async () => {
    const store = await open(server.url('super', 'super', 'second'), { schema: 'rf_s' });
    await useStore(store, 1);
    assert.deepEqual(judgeProduction(store.facts), { allow: false, reasons: ['superuser-url'] });
    await store.close();
  });

  test('together with URLs of roles that exist makes no role', async () => {
    await server.asSuperuser(
      'given',
      `create role given_app login password 'a'; create role given_system login password 's'`,
    );
    const roleUrls = { app: server.url('given_app', 'a', 'given'), system: server.url('given_system', 's', 'given') };
    const stores = await Promise.all(
      [1, 2].map(() => open(server.url('plain', 'plain', 'given'), { roleUrls, schema: 'rf_g' })),
    );
    for (const [at, store] of stores.entries()) await useStore(store, at);
    for (const store of stores) await store.close();
    assert.deepEqual(await server.asSuperuser('given', `select from pg_roles where rolname like 'rf_g%'`), []);
    const same = open(server.url('plain', 'plain', 'given'), { roleUrls: { ...roleUrls, system: roleUrls.app } });
    await assert.rejects(same, { code: 'bad-options' });
  });

  test('of a user without CREATEROLE is refused with the next step', async () => {
    await assert.rejects(open(server.url('plain', 'plain', 'given'), { schema: 'rf_x' }), {
      code: 'denied',
      next: /CREATEROLE/,
    });
  });

  test('that is wrong fails with its code and never with the URL', async () => {
    const failures: [string, string][] = [
      [server.url('deploy', 'marker', 'main'), 'authentication'],
      [server.url('deploy', 'other-word', 'marker'), 'bad-url'],
      [server.url('deploy', 'marker', 'main').replace(String(server.port), '1'), 'unavailable'],
    ];
    for (const [url, code] of failures)
      await assert.rejects(open(url), (error) => {
        assert.ok(error instanceof StoreError);
        assert.equal(error.code, code);
        assert.doesNotMatch(`${error.message} ${error.next} ${JSON.stringify(error)}`, /marker|other-word/);
        return true;
      });
  });

  test('with TLS is verified against the given authority', async () => {
    const url = server.url('deploy', 'other-word', 'main').replace('127.0.0.1', 'localhost');
    await assert.rejects(open(`${url}?sslmode=verify-full`), { code: 'untrusted-server' });
    const store = await open(`${url}?sslmode=verify-full&sslrootcert=${server.certificate}`);
    await store.ping();
    const sessions = await server.asSuperuser(
      'main',
      `select bool_and(ssl) as ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'ringfence'`,
    );
    assert.deepEqual(sessions, [{ ssl: true }]);
    await store.close();
  });

  test('of a server that may lose commits is told', async () => {
    await server.asSuperuser('main', 'alter database main set synchronous_commit = off');
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (event: string) => void warnings.push(event) };
    const store = await open(server.url('deploy', 'other-word', 'main'), { log });
    assert.deepEqual(judgeProduction(store.facts), { allow: false, reasons: ['not-durable'] });
    assert.deepEqual(warnings, ['database.not_durable']);
    await store.close();
  });
});
