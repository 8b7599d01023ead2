import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { texts, type Flags } from '../command.ts';

/** The roles of `--role`, at least one. Throws CliError `usage` that names `usage`. */
export function givenRoles(flags: Flags, usage: string) {
  const roles = texts(flags, 'role').map((word) => {
    const role = KEYRING_ROLES.find((each) => each === word);
    if (role !== undefined) return { role };
    throw new CliError('usage', 'there is no such role', { next: `one of: ${KEYRING_ROLES.join(', ')}` });
  });
  if (roles.length > 0) return roles;
  throw new CliError('usage', 'there is no --role', { next: usage });
}
