import { resolve } from 'node:path';
import { formatSize } from '@ringfence/base';
import { openPack, readObject } from '@ringfence/client/pack';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { intoNewFolder, requireNewFolder } from '../job/new-folder.ts';
import { byteProgress } from '../progress.ts';
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
    const target = resolve(out);
    requireNewFolder(target);
    const progress = byteProgress(context.terminal, 'opening');
    const result = await withSession(context, async ({ profile, custodian }) => {
      const found = await custodian.openArtifact(name, version === undefined ? undefined : Number(version));
      const parts = { org: profile.org, project: found.project, pack: found.pack, onProgress: progress.add };
      const files = await intoNewFolder(target, (folder) =>
        openPack({ ...parts, folder, fetch: async (digest) => readObject(await custodian.object(digest)) }),
      );
      return { artifact: found.artifact, files: files.files.map(({ path }) => path) };
    });
    progress.end();
    context.terminal.value(result);
    context.terminal.line(
      `${name} version ${result.artifact.version}: ${result.files.length} files, ${formatSize(result.artifact.bytes)} in ${target}`,
    );
  },
};
