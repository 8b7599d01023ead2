import { hkdfSync, scryptSync } from 'node:crypto';
import { join } from 'node:path';
import { Secret, type Rng } from '@ringfence/base';
import { makeFolder } from '@ringfence/base/platform';
import { readOrWriteFirst } from '../first-writer.ts';
import type { RoleKind } from './role-names.ts';
import type { ServerAddress } from './server-address.ts';

const SALT = 'ringfence/store/role-password/v1';

/** Passwords of the roles. */
export type RolePasswords = (kind: RoleKind) => Secret;

/**
 * The roles' passwords, derived from the password in the database URL: replicas with state folders of their own agree on them without
 * a word, and nothing more lies on the disk. A URL without one (peer or certificate authentication) takes 256 random bits, kept in
 * `<stateDir>/database/role-secret` (0600), instead. scrypt N=2^14 slows guessing a weak URL password from a role's.
 */
export function rolePasswords(options: {
  address: ServerAddress;
  schema: string;
  stateDir: string;
  rng: Rng;
}): RolePasswords {
  const { address, schema } = options;
  const secret = address.password?.expose() ?? Buffer.from(storedSecret(options.stateDir, options.rng));
  const master = scryptSync(secret, SALT, 32, { N: 2 ** 14, r: 8, p: 1 });
  return (kind) => {
    const bytes = hkdfSync('sha256', master, SALT, `${schema}/${kind}`, 32);
    return new Secret(Buffer.from(Buffer.from(bytes).toString('base64url')));
  };
}

function storedSecret(stateDir: string, rng: Rng): string {
  const folder = join(stateDir, 'database');
  makeFolder(folder);
  return readOrWriteFirst(join(folder, 'role-secret'), () => Buffer.from(rng.bytes(32)).toString('base64url'));
}
