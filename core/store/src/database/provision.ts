import type { Rng } from '@ringfence/base';
import pg from 'pg';
import { scramVerifier } from '../scram-verifier.ts';
import { StoreError } from '../store-error.ts';
import { SETUP_LIMITS, clientConfig, withClient } from './connection.ts';
import { translateFailure } from './failure.ts';
import { lockKey } from './advisory-lock.ts';
import type { RoleKind, RoleNames } from './role-names.ts';
import type { RolePasswords } from './role-password.ts';
import type { ServerAddress } from './server-address.ts';

const KINDS: readonly RoleKind[] = ['owner', 'app', 'system'];

/** What provisioning needs. */
export interface Provisioning {
  /** A superuser, or the database's owner with CREATEROLE. */
  readonly admin: ServerAddress;
  readonly schema: string;
  readonly roles: RoleNames;
  readonly passwords: RolePasswords;
  readonly rng: Rng;
}

/**
 * Makes the three roles and the schema as far as they are missing, and gives the roles their passwords where they cannot log in with
 * them; under an advisory lock, because replicas start together. Where all is there it changes nothing. Throws `denied` when the
 * URL's user may not.
 */
export async function provision(options: Provisioning): Promise<void> {
  const { admin, schema, roles } = options;
  await withClient(clientConfig(admin, schema, SETUP_LIMITS), async (client) => {
    await client.query('select pg_advisory_lock($1::bigint)', [lockKey(schema, 'roles')]);
    try {
      for (const kind of KINDS) await provisionRole(client, options, kind);
      await provisionSchema(client, schema, roles);
    } catch (error) {
      throw explain(error);
    }
  });
}

/** The address of a role on the admin's server. */
export function roleAddress({ admin, roles, passwords }: Provisioning, kind: RoleKind): ServerAddress {
  return { ...admin, user: roles[kind], password: passwords(kind) };
}

async function provisionRole(client: pg.Client, options: Provisioning, kind: RoleKind): Promise<void> {
  const name = pg.escapeIdentifier(options.roles[kind]);
  const found = await client.query('select from pg_roles where rolname = $1', [options.roles[kind]]);
  if (found.rowCount !== 0 && (await canLogIn(options, kind))) return;
  const verifier = scramVerifier(Buffer.from(options.passwords(kind).expose()).toString(), options.rng.bytes(16));
  const password = `password ${pg.escapeLiteral(verifier)}`;
  // The attributes that matter (no superuser, no BYPASSRLS) are defaults: naming them takes rights that CREATEROLE lacks.
  await client.query(
    found.rowCount === 0 ? `create role ${name} login ${password}` : `alter role ${name} login ${password}`,
  );
  const database = options.admin.database;
  const right = await client.query<{ has: boolean }>(`select has_database_privilege($1::name, $2, 'connect') as has`, [
    options.roles[kind],
    database,
  ]);
  if (right.rows[0]?.has !== true)
    await client.query(`grant connect on database ${pg.escapeIdentifier(database)} to ${name}`);
}

async function canLogIn(options: Provisioning, kind: RoleKind): Promise<boolean> {
  try {
    await withClient(clientConfig(roleAddress(options, kind), options.schema, SETUP_LIMITS), async () => {});
    return true;
  } catch (error) {
    if (error instanceof StoreError && (error.code === 'authentication' || error.code === 'denied')) return false;
    throw error;
  }
}

/** Makes the schema and gives the roles their rights on it, as far as they are missing. */
export async function provisionSchema(client: pg.Client, schema: string, roles: RoleNames): Promise<void> {
  // In a transaction of its own: replicas that were given their roles come here together.
  await client.query('begin');
  await client.query('select pg_advisory_xact_lock($1::bigint)', [lockKey(schema, 'roles')]);
  const found = await client.query('select from pg_namespace where nspname = $1', [schema]);
  if (found.rowCount === 0) await client.query(`create schema ${schema}`);
  const missing = await client.query<{ role: string; privilege: string }>(
    `select role, privilege from (values ($2, 'usage'), ($2, 'create'), ($3, 'usage'), ($4, 'usage')) as wanted (role, privilege)
     where not has_schema_privilege(role::name, $1, privilege)`,
    [schema, roles.owner, roles.app, roles.system],
  );
  for (const { role, privilege } of missing.rows)
    await client.query(`grant ${privilege} on schema ${schema} to ${pg.escapeIdentifier(role)}`);
  await client.query('commit');
}

function explain(error: unknown): StoreError {
  const failure = translateFailure(error);
  if (failure.code !== 'denied') return failure;
  return new StoreError('denied', 'the user of the database URL may not make the roles or the schema', {
    cause: failure.cause,
    sqlState: failure.sqlState,
    next: 'give it CREATEROLE and CREATE on the database, or make the roles yourself and name their URLs',
  });
}
