import type { Command } from '../command.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';
import { publicKeyOf } from '../marketplace/key-file.ts';

export const command: Command = {
  usage: 'KEY [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'take away who admits providers; what it admitted starts nothing from now on (officers)',
  options: SIGNER_FLAGS,
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const key = publicKeyOf(word);
    await changeKeyring(context, flags, { kind: 'remove-admitter', key });
    context.terminal.value({ removed: key });
    context.terminal.line(`${key} admits nobody any more, and what it admitted starts nothing`);
  },
};
