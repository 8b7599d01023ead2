import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { ORG_A, NOTES, startTestServer, type TestServer } from './database.fixture.ts';
import { orgTable } from './org-table.ts';

describe('boot check of row-level security', () => {
  let server: TestServer;
  let count = 0;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.remove());

  /** Reasons why a schema with this second migration is refused; undefined when it is not. */
  async function reasons(step: string, sharedTables: readonly string[] = []): Promise<string | undefined> {
    count += 1;
    const migrations = [NOTES, { id: 2, name: 'under-test', sql: step }];
    try {
      const store = await server.open(`rf_s${count}`, { migrations, sharedTables });
      await store.close();
      return undefined;
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'not-isolated', String(error));
      return error.message.replace('organisations are not kept apart: ', '');
    }
  }

  test('tables made with orgTable pass, and so does a declared shared table', async () => {
    assert.equal(await reasons(`create table b (org text not null); ${orgTable('b', { app: ['select'] })}`), undefined);
    assert.equal(
      await reasons('create table region (code text); grant select on region to rf_app', ['region']),
      undefined,
    );
    assert.equal(
      await reasons('create view v with (security_invoker) as select * from note; grant select on v to rf_app'),
      undefined,
    );
  });

  test('a table without a policy, without FORCE, or not declared, is refused', async () => {
    assert.equal(await reasons('create table b (org text not null)'), 'b has no row-level security');
    assert.equal(
      await reasons('create table b (org text not null); alter table b enable row level security'),
      'b lacks FORCE ROW LEVEL SECURITY',
    );
    assert.equal(
      await reasons('create table b (tenant text); grant insert (tenant) on b to rf_app'),
      'b has no column org and is not declared shared',
    );
  });

  test('a policy for everybody, a grant of TRUNCATE, a view and a materialized view are refused', async () => {
    assert.equal(
      await reasons('create policy open on note for select to public using (true)'),
      'policy open on note does not compare with the current organisation',
    );
    assert.equal(await reasons('grant truncate on note to rf_app'), 'the app role may truncate note');
    assert.equal(
      await reasons('create view v as select * from note; grant select on v to rf_app'),
      'view v is not security_invoker',
    );
    assert.equal(
      await reasons('create materialized view m as select * from note; grant select on m to rf_app'),
      'm is reachable and cannot have policies',
    );
  });

  test('a row that is visible with no organisation set is refused, also one of the empty organisation', async () => {
    const open = (condition: string): string =>
      `drop policy note_of_org on note; create policy p on note to rf_app using (${condition}) with check (${condition});
       alter table note no force row level security; insert into note values ('', 1, ''); alter table note force row level security;`;
    const visible = 'a row of note is visible with no organisation set';
    assert.equal(await reasons(open(`org = current_setting('rf.org', true)`)), visible);
    assert.equal(await reasons(open(`current_setting('rf.org', true) is null`)), visible);
    assert.equal(await reasons(open(`org = nullif(current_setting('rf.org', true), '')`)), undefined);
  });

  test('a role above policies is refused', async () => {
    const schema = 'rf_above';
    await (await server.open(schema)).close();
    const open = async (): Promise<void> => (await server.open(schema)).close();
    await server.asSuperuser(`alter role ${schema}_app bypassrls`);
    await assert.rejects(open(), { code: 'not-isolated', message: /the app role bypasses row-level security/ });
    await server.asSuperuser(`alter role ${schema}_app nobypassrls; grant ${schema}_owner to ${schema}_system`);
    await assert.rejects(open(), { code: 'not-isolated', message: /the system role may act as the owner/ });
    await server.asSuperuser(`revoke ${schema}_owner from ${schema}_system;
      create function ${schema}.f() returns bigint language sql security definer as 'select count(*) from ${schema}.note'`);
    await assert.rejects(open(), { code: 'not-isolated', message: /function f runs with rights above/ });
    await server.asSuperuser(`drop function ${schema}.f()`);
    await open();
  });

  test('the services of two schemas on one server cannot read each other', async () => {
    const store = await server.open('rf_one');
    await store.withOrg(ORG_A, (tx) => tx.insertInto('note').values({ org: ORG_A, id: 1, text: 'x' }).execute());
    const other = await server.open('rf_two');
    try {
      const peek = other.withOrg(ORG_A, (tx) => sql`select * from rf_one.note`.execute(tx));
      await assert.rejects(peek, { code: 'denied' });
    } finally {
      await Promise.all([store.close(), other.close()]);
    }
  });
});
