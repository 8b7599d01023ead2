import { isId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';

const REASONS = ['left', 'compromised'] as const;

export const command: Command = {
  usage: 'ORGANISATION --root-key-file FILE [--reason left|compromised] [--passphrase-file FILE] [--out FILE]',
  summary:
    'no longer have an organisation as a peer: contracts with it hold no more, and it never comes back (the root)',
  options: { reason: { type: 'string' }, ...SIGNER_FLAGS },
  words: [1, 1],
  async run(context, [org = ''], flags) {
    const reason = REASONS.find((known) => known === (text(flags, 'reason') ?? 'left'));
    if (!isId('org', org) || reason === undefined)
      throw new CliError('usage', 'a peer is removed by its id, because it left or was compromised', {
        next: `ringfence peer remove ${this.usage}`,
      });
    if (!(await changeKeyring(context, flags, { kind: 'remove', subject: org, reason }))) return;
    context.terminal.value({ removed: org, reason });
    context.terminal.line(`${org} is no peer any more`);
  },
};
