import { awayTier } from '@ringfence/protocol';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { changeKeyring, SIGNER_FLAGS } from '../marketplace/change-keyring.ts';
import { publicKeyOf } from '../marketplace/key-file.ts';

export const command: Command = {
  usage: 'KEY --tier secure-cloud [--out FILE] [--root-key-file FILE] [--passphrase-file FILE]',
  summary: 'pin who may admit providers into a tier (officers)',
  options: { tier: { type: 'string' }, ...SIGNER_FLAGS },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const tier = awayTier.safeParse(text(flags, 'tier'));
    if (!tier.success)
      throw new CliError('usage', '--tier is missing, or none that others’ machines can have', {
        next: `ringfence keyring add-admitter ${this.usage}`,
      });
    const key = publicKeyOf(word);
    if (!(await changeKeyring(context, flags, { kind: 'add-admitter', key, tier: tier.data }))) return;
    context.terminal.value({ added: key, tier: tier.data });
    context.terminal.line(`${key} may admit providers into ${tier.data}`);
  },
};
