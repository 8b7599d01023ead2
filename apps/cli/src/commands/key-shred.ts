import { resolve } from 'node:path';
import { canonicalJson, isId } from '@ringfence/base';
import { readStatement } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { tombstoneLine } from '../key/key-lines.ts';
import { writeNewFile } from '../new-file.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'project|organisation ID [--out FILE]',
  summary: 'destroy the keys of all data of the project or organisation, for good, and keep the signed tombstone',
  options: { out: { type: 'string' } },
  words: [2, 2],
  async run(context, [kind = '', id = ''], flags) {
    const wish = wishOf(kind, id);
    const tombstone = await withSession(context, ({ custodian }) => custodian.keys.shred(wish));
    const out = text(flags, 'out');
    if (out !== undefined) writeNewFile(resolve(out), `${canonicalJson(tombstone)}\n`);
    context.terminal.value({ tombstone });
    context.terminal.line(tombstoneLine(readStatement('tombstone', tombstone).claimed));
    context.terminal.line(
      'archives of `ringfence custodian backup` from before have keys of their own: destroy them too',
    );
  },
};

function wishOf(kind: string, id: string) {
  if (kind === 'project' && isId('project', id)) return { kind, id } as const;
  if (kind === 'organisation' && isId('org', id)) return { kind, id } as const;
  throw new CliError('usage', 'say what is to be shredded, and its id', {
    next: '`ringfence key status` prints both ids; a single dataset goes with `ringfence erase NAME`',
  });
}
