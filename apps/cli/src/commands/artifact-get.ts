import { resolve } from 'node:path';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { getArtifact } from '../job/get-artifact.ts';
import { requireNewFolder } from '../job/new-folder.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'NAME --out DIR [--version N]',
  summary: 'fetch sealed objects and open them here',
  options: { out: { type: 'string' }, version: { type: 'string' } },
  words: [1, 1],
  async run(context, [name = ''], flags) {
    const out = text(flags, 'out');
    const version = text(flags, 'version');
    if (out === undefined || (version !== undefined && !/^[1-9]\d{0,6}$/.test(version)))
      throw new CliError('usage', 'an artifact needs a folder to go to', {
        next: `ringfence artifact get ${this.usage}`,
      });
    requireNewFolder(resolve(out));
    await withSession(context, (session) =>
      getArtifact(context, session, { name, version: version === undefined ? undefined : Number(version), out }),
    );
  },
};
