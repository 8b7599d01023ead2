import type { KeyringChange } from '@ringfence/protocol/statements';
import type { Command } from '../command.ts';
import { changeKeyring, SIGNER_FLAGS } from './change-keyring.ts';
import { publicKeyOf } from './key-file.ts';

/** The command that takes a pinned key out of the keyring; `after` says what that means. */
export function unpinCommand(
  kind: Extract<KeyringChange['kind'], 'remove-admitter' | 'remove-evidence-issuer'>,
  { summary, after }: { readonly summary: string; readonly after: string },
): Command {
  return {
    usage: 'KEY [--out FILE] [--root-key-file FILE] [--passphrase-file FILE]',
    summary,
    options: SIGNER_FLAGS,
    words: [1, 1],
    async run(context, [word = ''], flags) {
      const key = publicKeyOf(word);
      if (!(await changeKeyring(context, flags, { kind, key }))) return;
      context.terminal.value({ removed: key });
      context.terminal.line(`${key} ${after}`);
    },
  };
}
