import { readFileSync } from 'node:fs';
import { newId } from '@ringfence/base';
import { signStatement } from '@ringfence/keyring';
import { idOf } from '@ringfence/protocol';
import { joinKeys } from '@ringfence/protocol/payload';
import type { StatementBody } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, type Command, type CommandContext, type Flags } from '../command.ts';
import { openKeyFile } from '../marketplace/key-file.ts';
import { giveStatement, PAPER_FLAGS, placesOf, readStatementFile, spanOf } from '../marketplace/statement-file.ts';

const machineKeys = joinKeys.pick({ sign: true, tls: true, seal: true });

export const command: Command = {
  usage:
    '--admission FILE (--keys FILE --jurisdiction DE… [--site ID] | --renews FILE) --key-file FILE [--passphrase-file FILE] [--valid 90d] [--out FILE]',
  summary: 'vouch for one machine by the keys that `ringfence agent keys` printed there',
  options: {
    keys: { type: 'string' },
    admission: { type: 'string' },
    site: { type: 'string' },
    renews: { type: 'string' },
    ...PAPER_FLAGS,
  },
  words: [0, 0],
  async run(context, _, flags) {
    const machine = text(flags, 'renews') === undefined ? newMachine(context, flags) : knownMachine(flags);
    const { claimed } = readStatementFile('admission', text(flags, 'admission') ?? '');
    const span = spanOf(context, flags, '90d');
    const key = await openKeyFile(context, flags, 'authority-key');
    const { provider, tier, authority } = claimed;
    if (authority !== key.publicKey)
      throw new CliError('usage', 'the admission is about another authority than this key', {
        next: 'name the key file that `ringfence provider init` made for this tier',
      });
    const body = { v: 1, provider, tier, ...machine, ...span } as const;
    const { agent, site } = machine;
    giveStatement(context, flags, () => signStatement('machine', body, [key]), { agent, site });
  },
};

type Machine = Omit<StatementBody<'machine'>, 'v' | 'provider' | 'tier' | 'from' | 'until'>;

/** A machine that has not joined yet. */
function newMachine({ rng }: CommandContext, flags: Flags): Machine {
  const site = idOf('site').safeParse(text(flags, 'site') ?? newId('site', rng));
  if (!site.success) throw new CliError('usage', '--site is no id of a site', { next: 'leave it out to make one' });
  const keys = readKeys(text(flags, 'keys') ?? '');
  return { agent: newId('agent', rng), site: site.data, ...keys, jurisdictions: placesOf(flags) };
}

/** The machine of an earlier statement: a renewal is about the same one, with its keys, at its place. */
function knownMachine(flags: Flags): Machine {
  if (['keys', 'site', 'jurisdiction'].some((flag) => flags[flag] !== undefined))
    throw new CliError('usage', '--renews says the machine’s keys, site and place already', {
      next: 'leave out --keys, --site and --jurisdiction',
    });
  const { agent, site, sign, tls, seal, jurisdictions } = readStatementFile(
    'machine',
    text(flags, 'renews') ?? '',
  ).claimed;
  return { agent, site, sign, tls, seal, jurisdictions };
}

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
