import { StoreError } from '../store-error.ts';

/** The three database roles: `owner` migrates and owns the tables, `app` sees one organisation, `system` runs the listed queries. */
export type RoleKind = 'owner' | 'app' | 'system';

/** The name of each role on this server. */
export type RoleNames = Readonly<Record<RoleKind, string>>;

const SCHEMA = /^[a-z][a-z0-9_]{0,39}$/;
const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** Checks the name of a schema. Throws `bad-options`. */
export function requireSchemaName(schema: string): void {
  if (!SCHEMA.test(schema) || schema.startsWith('pg_') || schema === 'public')
    throw new StoreError('bad-options', 'a schema name is 1-40 of a-z, 0-9 and _, and neither public nor pg_*');
}

/**
 * The roles of a schema: `rf_cp` has `rf_cp_owner`, `rf_cp_app` and `rf_cp_system`. Roles belong to the whole server, so two
 * schemas on one server must not share them: each side's role would read the other side's rows.
 */
export function roleNamesOf(schema: string): RoleNames {
  return { owner: `${schema}_owner`, app: `${schema}_app`, system: `${schema}_system` };
}

/** The roles that three URLs name. Throws `bad-options` when two are the same or a name would need quotes. */
export function givenRoleNames(names: RoleNames): RoleNames {
  const all = [names.owner, names.app, names.system];
  if (new Set(all).size === 3 && all.every((name) => PLAIN_NAME.test(name))) return names;
  throw new StoreError(
    'bad-options',
    'the three database URLs must name three different users, each of a-z, 0-9 and _',
  );
}

/** Puts the real role names into SQL in which they are written `rf_owner`, `rf_app` and `rf_system`. */
export function withRoleNames(sql: string, names: RoleNames): string {
  return sql.replaceAll(/\brf_(owner|app|system)\b/g, (_, kind: RoleKind) => names[kind]);
}
