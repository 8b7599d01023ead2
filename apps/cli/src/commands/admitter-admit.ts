import { signStatement } from '@ringfence/keyring';
import { awayTier, idOf } from '@ringfence/protocol';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { openKeyFile, publicKeyOf } from '../marketplace/key-file.ts';
import { giveStatement, PAPER_FLAGS, placesOf, spanOf } from '../marketplace/statement-file.ts';

export const command: Command = {
  usage:
    '--provider ID --tier secure-cloud --authority KEY --jurisdiction US… --key-file FILE [--passphrase-file FILE] [--valid 365d] [--out FILE]',
  summary: 'admit a provider into a tier: its authority may vouch for machines there until the admission ends',
  options: {
    provider: { type: 'string' },
    tier: { type: 'string' },
    authority: { type: 'string' },
    ...PAPER_FLAGS,
  },
  words: [0, 0],
  async run(context, _, flags) {
    const provider = idOf('provider').safeParse(text(flags, 'provider'));
    const tier = awayTier.safeParse(text(flags, 'tier'));
    if (!provider.success || !tier.success)
      throw new CliError('usage', 'an admission names a provider and secure-cloud or community-cloud', {
        next: `ringfence admitter admit ${this.usage}`,
      });
    const authority = publicKeyOf(text(flags, 'authority') ?? '');
    const terms = { jurisdictions: placesOf(flags), ...spanOf(context, flags, '365d') };
    const key = await openKeyFile(context, flags, 'admitter-key');
    const body = { v: 1, provider: provider.data, tier: tier.data, authority, ...terms } as const;
    giveStatement(context, flags, () => signStatement('admission', body, [key]));
  },
};
