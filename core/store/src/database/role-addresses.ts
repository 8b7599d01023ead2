import type { Rng, Secret } from '@ringfence/base';
import { SETUP_LIMITS, clientConfig, withClient } from './connection.ts';
import { provision, provisionSchema, roleAddress } from './provision.ts';
import { givenRoleNames, roleNamesOf, type RoleNames } from './role-names.ts';
import { rolePasswords } from './role-password.ts';
import { parseDatabaseUrl, type ServerAddress } from './server-address.ts';

/** How to connect as each role. */
export interface RoleAddresses {
  readonly roles: RoleNames;
  readonly owner: ServerAddress;
  readonly app: ServerAddress;
  readonly system: ServerAddress;
}

/**
 * Makes the roles of `schema` on the admin's server, or takes the given ones (then the admin is the owner). Throws `denied`,
 * `bad-options`, `bad-url`.
 */
export async function resolveRoles(options: {
  admin: ServerAddress;
  schema: string;
  stateDir: string;
  rng: Rng;
  roleUrls?: { readonly app: string | Secret; readonly system: string | Secret };
}): Promise<RoleAddresses> {
  const { admin, schema, roleUrls } = options;
  if (roleUrls !== undefined) {
    const [app, system] = [parseDatabaseUrl(roleUrls.app), parseDatabaseUrl(roleUrls.system)];
    const roles = givenRoleNames({ owner: admin.user, app: app.user, system: system.user });
    await withClient(clientConfig(admin, schema, SETUP_LIMITS), (client) => provisionSchema(client, schema, roles));
    return { roles, owner: admin, app, system };
  }
  const roles = roleNamesOf(schema);
  const plan = { admin, schema, roles, passwords: rolePasswords({ ...options, address: admin }), rng: options.rng };
  await provision(plan);
  const [owner, app, system] = [roleAddress(plan, 'owner'), roleAddress(plan, 'app'), roleAddress(plan, 'system')];
  return { roles, owner, app, system };
}
