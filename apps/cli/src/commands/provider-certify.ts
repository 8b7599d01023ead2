import { readFileSync } from 'node:fs';
import { newId } from '@ringfence/base';
import { signStatement } from '@ringfence/keyring';
import { idOf } from '@ringfence/protocol';
import { joinKeys } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { openKeyFile } from '../marketplace/key-file.ts';
import { giveStatement, PAPER_FLAGS, paperTerms, readStatementFile } from '../marketplace/statement-file.ts';

const machineKeys = joinKeys.pick({ sign: true, tls: true, seal: true });

export const command: Command = {
  usage:
    '--keys FILE --admission FILE --jurisdiction DE… --key-file FILE [--passphrase-file FILE] [--site ID] [--valid 90d] [--out FILE]',
  summary: 'vouch for one machine by the keys that `ringfence agent keys` printed there',
  options: {
    keys: { type: 'string' },
    admission: { type: 'string' },
    site: { type: 'string' },
    ...PAPER_FLAGS,
  },
  words: [0, 0],
  async run(context, _, flags) {
    const site = idOf('site').safeParse(text(flags, 'site') ?? newId('site', context.rng));
    if (!site.success) throw new CliError('usage', '--site is no id of a site', { next: 'leave it out to make one' });
    const keys = readKeys(text(flags, 'keys') ?? '');
    const { claimed } = readStatementFile('admission', text(flags, 'admission') ?? '');
    const terms = paperTerms(context, flags, '90d');
    const key = await openKeyFile(context, flags, 'authority-key');
    const { provider, tier, authority } = claimed;
    if (authority !== key.publicKey)
      throw new CliError('usage', 'the admission is about another authority than this key', {
        next: 'name the key file that `ringfence provider init` made for this tier',
      });
    const agent = newId('agent', context.rng);
    const body = { v: 1, provider, tier, agent, site: site.data, ...keys, ...terms } as const;
    giveStatement(context, flags, () => signStatement('machine', body, [key]), { agent, site: site.data });
  },
};

function readKeys(path: string) {
  try {
    return machineKeys.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new CliError('bad-file', '--keys names no file with the keys of a machine', {
      cause,
      next: 'run `ringfence agent keys --state DIR` on the machine and keep what it prints',
    });
  }
}
