import type { Keyring } from '@ringfence/keyring';
import type { Command } from '../command.ts';
import { namedRole } from '../keyring/named-role.ts';
import { refuseOfficerWithSignature } from '../keyring/officer-signature.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';

export const command: Command = {
  usage: 'DEVICE ROLE [--project PROJECT] [--out FILE] [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'take a role back that is bound to a device; what it has open ends (officers)',
  options: { project: { type: 'string' }, ...SIGNER_FLAGS },
  words: [2, 2],
  async run(context, words, flags) {
    const named = namedRole(words, flags, `ringfence keyring unbind ${this.usage}`);
    const check = (keyring: Keyring): void => refuseOfficerWithSignature(keyring, named);
    if (!(await changeKeyring(context, flags, { kind: 'unbind-role', ...named }, check))) return;
    const { device, role, project } = named;
    context.terminal.value({ unbound: { project: null, ...named } });
    context.terminal.line(`${device} is ${role} no more${project === undefined ? '' : ` in ${project}`}`);
  },
};
