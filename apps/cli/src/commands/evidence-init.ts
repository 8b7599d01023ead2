import type { Command } from '../command.ts';
import { KEY_FLAGS, makeKeyFile, showKey } from '../marketplace/key-file.ts';

export const command: Command = {
  usage: '--key-file FILE [--passphrase-file FILE]',
  summary: 'make a key that issues evidence, sealed to a passphrase; organisations pin what is printed',
  options: KEY_FLAGS,
  words: [0, 0],
  async run(context, _, flags) {
    showKey(context, (await makeKeyFile(context, flags, 'issuer-key')).publicKey);
  },
};
