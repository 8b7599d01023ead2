import { isId, type DeviceId, type ProjectId } from '@ringfence/base';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { text, type Flags } from '../command.ts';

/** A role of a device as a command line names it. */
export interface NamedRole {
  readonly device: DeviceId;
  readonly role: (typeof KEYRING_ROLES)[number];
  readonly project?: ProjectId;
}

/** The role that `DEVICE ROLE [--project PROJECT]` name; `usage` is how the command is called. Throws CliError `usage`. */
export function namedRole([device = '', word]: readonly string[], flags: Flags, usage: string): NamedRole {
  const role = z.enum(KEYRING_ROLES).safeParse(word);
  const project = text(flags, 'project');
  if (!role.success)
    throw new CliError('usage', 'there is no such role', { next: `roles are ${KEYRING_ROLES.join(', ')}` });
  if (!isId('device', device) || (project !== undefined && !isId('project', project)))
    throw new CliError('usage', 'a role is bound to a device by its id, and to a project by the project’s', {
      next: `${usage}; devices: \`ringfence device ls\``,
    });
  return { device, role: role.data, ...(project === undefined ? {} : { project }) };
}
