import pg from 'pg';
import { StoreError } from '../store-error.ts';
import { CALL_LIMITS, clientConfig, withClient } from './connection.ts';
import { judgeIsolation, type IsolationFacts, type Policy, type Relation, type RoleFacts } from './isolation.ts';
import type { RoleNames } from './role-names.ts';
import type { ServerAddress } from './server-address.ts';

const RELATIONS = `
  select c.relname as name, c.relkind as kind, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org' and a.attnum > 0) as scoped,
    has_table_privilege(c.oid, 'select, insert, update, delete, truncate, references, trigger')
      or has_any_column_privilege(c.oid, 'select, insert, update, references') as reachable,
    has_table_privilege(c.oid, 'truncate') as truncates,
    pg_has_role(c.relowner, 'usage') as owned,
    coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false) as invoker
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f') order by c.relname`;

const POLICIES = `
  select tablename as "table", policyname as name, cmd as command, qual as "using", with_check as "check"
  from pg_policies where schemaname = $1 and permissive = 'PERMISSIVE' and exists (
    select from unnest(roles) as role where case role when 'public' then true else pg_has_role(role, 'usage') end)`;

const ROLES = `
  select case rolname when $1 then 'app' else 'system' end as kind, rolsuper as superuser, rolbypassrls as bypasses,
    pg_has_role(rolname, $3::name, 'member') as "actsAsOwner"
  from pg_roles where rolname in ($1, $2)`;

const DEFINERS = `
  select p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
  where n.nspname = $1 and p.prosecdef and (r.rolsuper or r.rolbypassrls) and has_function_privilege(p.oid, 'execute')`;

/**
 * Boot check: looks at the schema as the application's role, with no organisation set and with an empty one. Throws `not-isolated`
 * with every reason; the process must not serve then.
 */
export async function assertRowLevelSecurity(options: {
  app: ServerAddress;
  schema: string;
  roles: RoleNames;
  /** Tables without organisations' data that the application may reach. */
  shared: readonly string[];
}): Promise<void> {
  const { app, schema, shared } = options;
  const facts = await withClient(clientConfig(app, schema, CALL_LIMITS), (client) =>
    gather(client, schema, options.roles),
  );
  const verdict = judgeIsolation(facts, shared);
  if (verdict.allow) return;
  throw new StoreError('not-isolated', `organisations are not kept apart: ${verdict.reasons.join('; ')}`, {
    next: 'correct the migrations; use orgTable() for tables with a column org',
  });
}

async function gather(client: pg.Client, schema: string, roles: RoleNames): Promise<IsolationFacts> {
  const relations = await client.query<Relation>(RELATIONS, [schema]);
  const tables = relations.rows.filter(({ scoped, kind }) => scoped && (kind === 'r' || kind === 'p'));
  // After a transaction that set it, `rf.org` is empty and no longer absent: both must hide everything, and absent comes first.
  const absent = await tablesWithRows(client, schema, tables);
  await client.query(`set rf.org = ''`);
  const empty = await tablesWithRows(client, schema, tables);
  return {
    relations: relations.rows,
    leaking: [...new Set([...absent, ...empty])],
    policies: (await client.query<Policy>(POLICIES, [schema])).rows,
    roles: (await client.query<RoleFacts>(ROLES, [roles.app, roles.system, roles.owner])).rows,
    definers: (await client.query<{ name: string }>(DEFINERS, [schema])).rows.map(({ name }) => name),
  };
}

async function tablesWithRows(client: pg.Client, schema: string, tables: readonly Relation[]): Promise<string[]> {
  const seen: string[] = [];
  for (const { name } of tables) {
    const probe = `select exists (select from ${schema}.${pg.escapeIdentifier(name)}) as seen`;
    try {
      const { rows } = await client.query<{ seen: boolean }>(probe);
      if (rows[0]?.seen !== false) seen.push(name);
    } catch (error) {
      // No privilege, or a policy that cannot read '' as an id: nothing is seen.
      const state = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
      if (state !== '42501' && !state.startsWith('22')) throw error;
    }
  }
  return seen;
}
