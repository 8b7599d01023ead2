import type { Command } from '../command.ts';
import { KEY_FLAGS, makeKeyFile, showKey, type KeyRole } from './key-file.ts';

/** The command that makes the key of a role which has nothing else to say. */
export function initCommand(role: KeyRole, summary: string): Command {
  return {
    usage: '--key-file FILE [--passphrase-file FILE]',
    summary,
    options: KEY_FLAGS,
    words: [0, 0],
    async run(context, _, flags) {
      showKey(context, (await makeKeyFile(context, flags, role)).publicKey);
    },
  };
}
