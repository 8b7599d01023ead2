import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { secretInput } from '../secret-input.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: '--out FILE [--passphrase-file FILE]',
  summary: 'save the custodian: keys, database and objects, sealed to a passphrase',
  options: { out: { type: 'string' }, 'passphrase-file': { type: 'string' } },
  words: [0, 0],
  async run(context, _, flags) {
    const out = text(flags, 'out');
    if (out === undefined)
      throw new CliError('usage', '--out is missing', { next: `ringfence custodian backup ${this.usage}` });
    const target = resolve(out);
    if (existsSync(target))
      throw new CliError('bad-file', `${target} exists`, { next: 'name another file; backups are never overwritten' });
    const passphrase = await secretInput(context, flags, {
      flag: 'passphrase',
      prompt: 'passphrase for this backup (12 characters or more)',
    });
    const partial = `${target}.partial`;
    try {
      await withSession(context, async ({ custodian }) =>
        pipeline(await custodian.backup({ passphrase }), createWriteStream(partial, { mode: 0o600, flush: true })),
      );
      renameSync(partial, target);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
    context.terminal.value({ file: target });
    context.terminal.line(`${target}; keep it and the passphrase in different places`);
  },
};
