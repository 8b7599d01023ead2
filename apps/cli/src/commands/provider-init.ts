import { newId } from '@ringfence/base';
import { awayTier, idOf } from '@ringfence/protocol';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { KEY_FLAGS, makeKeyFile, showKey } from '../marketplace/key-file.ts';

export const command: Command = {
  usage: '--tier secure-cloud --key-file FILE [--passphrase-file FILE] [--provider ID]',
  summary: 'make the authority of a provider in one tier, sealed to a passphrase; an admitter admits what is printed',
  options: { tier: { type: 'string' }, provider: { type: 'string' }, ...KEY_FLAGS },
  words: [0, 0],
  async run(context, _, flags) {
    const tier = awayTier.safeParse(text(flags, 'tier'));
    const provider = idOf('provider').safeParse(text(flags, 'provider') ?? newId('provider', context.rng));
    if (!tier.success || !provider.success)
      throw new CliError('usage', 'an authority is made for secure-cloud or community-cloud', {
        next: `ringfence provider init ${this.usage}; --provider names one that has an authority of the other tier`,
      });
    const key = await makeKeyFile(context, flags, 'authority-key');
    showKey(context, key.publicKey, { provider: provider.data, tier: tier.data });
  },
};
