import type { Command } from '../command.ts';
import { namedRole } from '../keyring/named-role.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';

export const command: Command = {
  usage: 'DEVICE ROLE [--project PROJECT] [--out FILE] [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'bind a role to a device (officers)',
  options: { project: { type: 'string' }, ...SIGNER_FLAGS },
  words: [2, 2],
  async run(context, words, flags) {
    const named = namedRole(words, flags, `ringfence keyring bind ${this.usage}`);
    if (!(await changeKeyring(context, flags, { kind: 'bind-role', ...named }))) return;
    context.terminal.value({ bound: { project: null, ...named } });
    context.terminal.line(`${named.device} is ${named.role} now`);
  },
};
