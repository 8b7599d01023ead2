import { isId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';

export const command: Command = {
  usage: 'DEVICE [--out FILE] [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'make a device an officer’s: it signs for the organisation (officers)',
  options: SIGNER_FLAGS,
  words: [1, 1],
  async run(context, [device = ''], flags) {
    if (!isId('device', device))
      throw new CliError('usage', 'an officer’s device is named by its id', { next: 'see `ringfence device ls`' });
    if (!(await changeKeyring(context, flags, { kind: 'add-officer', device }))) return;
    context.terminal.value({ officer: device });
    context.terminal.line(`${device} is an officer’s now; with two officers, rules for two people take both`);
  },
};
