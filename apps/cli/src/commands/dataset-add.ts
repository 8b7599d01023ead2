import { resolve } from 'node:path';
import { formatSize } from '@ringfence/base';
import { sealPack } from '@ringfence/client/pack';
import { sensitivity } from '@ringfence/protocol';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command } from '../command.ts';
import { dedupeKeyOf } from '../job/dedupe-key.ts';
import { folderOrFile } from '../job/folder-entries.ts';
import { byteProgress } from '../progress.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage:
    'NAME PATH --label public|internal|confidential|restricted [--residency EU]… [--purpose research]… [--lower-label]',
  summary: 'seal a folder or file and register it; its label rules every job that mounts it',
  options: {
    label: { type: 'string' },
    residency: { type: 'string', multiple: true },
    purpose: { type: 'string', multiple: true },
    'lower-label': { type: 'boolean' },
  },
  words: [2, 2],
  async run(context, [name = '', path = ''], flags) {
    const label = sensitivity.safeParse(text(flags, 'label'));
    if (!label.success)
      throw new CliError('usage', 'a dataset needs a label', { next: `ringfence dataset add ${this.usage}` });
    const { folder, entries } = folderOrFile(resolve(path));
    const progress = byteProgress(context.terminal, 'sealing');
    const row = await withSession(context, async (session) => {
      const { profile, custodian } = session;
      const dedupeKey = await dedupeKeyOf(session);
      const sealed = await sealPack({
        folder,
        entries,
        org: profile.org,
        project: profile.project,
        dedupeKey,
        custodian,
        rng: context.rng,
        onProgress: progress.add,
      });
      progress.end();
      const labels = {
        sensitivity: label.data,
        residency: texts(flags, 'residency'),
        purposes: texts(flags, 'purpose'),
      };
      const lowered = flags['lower-label'] === true ? ({ lowerLabel: true } as const) : {};
      return custodian.addDataset({
        name,
        ...labels,
        ...lowered,
        pack: sealed.pack,
        files: sealed.files,
        bytes: sealed.bytes,
      });
    });
    context.terminal.value(row);
    context.terminal.line(
      `${row.name} version ${row.version}: ${row.files} files, ${formatSize(row.bytes)}, label ${row.sensitivity} (${row.artifact})`,
    );
  },
};
