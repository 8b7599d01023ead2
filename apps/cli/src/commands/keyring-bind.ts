import { isId } from '@ringfence/base';
import { KEYRING_ROLES } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';

export const command: Command = {
  usage: 'DEVICE ROLE [--project PROJECT] [--out FILE] [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'bind a role to a device (officers)',
  options: { project: { type: 'string' }, ...SIGNER_FLAGS },
  words: [2, 2],
  async run(context, [device = '', word], flags) {
    const role = z.enum(KEYRING_ROLES).safeParse(word);
    const project = text(flags, 'project');
    if (!role.success)
      throw new CliError('usage', 'there is no such role', { next: `roles are ${KEYRING_ROLES.join(', ')}` });
    if (!isId('device', device) || (project !== undefined && !isId('project', project)))
      throw new CliError('usage', 'a role is bound to a device by its id, and to a project by the project’s', {
        next: `ringfence keyring bind ${this.usage}; devices: \`ringfence device ls\``,
      });
    const change = {
      kind: 'bind-role',
      device,
      role: role.data,
      ...(project === undefined ? {} : { project }),
    } as const;
    if (!(await changeKeyring(context, flags, change))) return;
    context.terminal.value({ bound: { device, role: role.data, project: project ?? null } });
    context.terminal.line(`${device} is ${role.data} now`);
  },
};
