import { resolve } from 'node:path';
import { formatSize, isId } from '@ringfence/base';
import { sealPack } from '@ringfence/client/pack';
import { sensitivity } from '@ringfence/protocol';
import type { ArtifactRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command, type CommandContext } from '../command.ts';
import { registerInPlace } from '../data-in-place/register-in-place.ts';
import { dedupeKeyOf } from '../job/dedupe-key.ts';
import { folderOrFile } from '../job/folder-entries.ts';
import { leaveOutHint } from '../job/leave-out-hint.ts';
import { byteProgress } from '../progress.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage:
    'NAME (PATH | --at SITE:/PATH) --label public|internal|confidential|restricted [--residency EU]… [--purpose research]… [--lower-label] [--owner DEVICE] [--derived-from NAME]… [--contract-only]',
  summary:
    'seal a folder or file and register it, or one that stays at its site; its label rules every job that mounts it',
  options: {
    at: { type: 'string' },
    label: { type: 'string' },
    residency: { type: 'string', multiple: true },
    purpose: { type: 'string', multiple: true },
    'lower-label': { type: 'boolean' },
    owner: { type: 'string' },
    'derived-from': { type: 'string', multiple: true },
    'contract-only': { type: 'boolean' },
  },
  words: [1, 2],
  async run(context, [name = '', path], flags) {
    const given = text(flags, 'label');
    const label = sensitivity.safeParse(given);
    if (!label.success)
      throw new CliError('usage', given === undefined ? 'a dataset needs a label' : '--label is none of the four', {
        next: `ringfence dataset add ${this.usage}`,
      });
    const at = text(flags, 'at');
    if ((at === undefined) === (path === undefined))
      throw new CliError('usage', 'a dataset is a folder of this machine, or one of a site with --at', {
        next: `ringfence dataset add ${this.usage}`,
      });
    const owner = text(flags, 'owner');
    if (owner !== undefined && !isId('device', owner))
      throw new CliError('usage', '--owner takes the id of a device', { next: 'see `ringfence device ls`' });
    const derivedFrom = texts(flags, 'derived-from');
    const labels = {
      sensitivity: label.data,
      residency: texts(flags, 'residency'),
      purposes: texts(flags, 'purpose'),
      ...(flags['lower-label'] === true ? ({ lowerLabel: true } as const) : {}),
      ...(owner === undefined ? {} : { owner }),
      ...(derivedFrom.length === 0 ? {} : { derivedFrom }),
      ...(flags['contract-only'] === true ? ({ contractOnly: true } as const) : {}),
    };
    if (at !== undefined) return show(context, await registerInPlace(context, { name, at, labels }));
    const { folder, entries } = folderOrFile(resolve(path ?? ''));
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
      return custodian.addDataset({
        name,
        ...labels,
        pack: sealed.pack,
        files: sealed.files,
        bytes: sealed.bytes,
      });
    });
    show(context, row);
    const hint = label.data === 'public' ? undefined : leaveOutHint(process.cwd(), resolve(path ?? ''));
    if (hint !== undefined) context.terminal.note(hint);
  },
};

function show({ terminal }: CommandContext, row: ArtifactRow): void {
  terminal.value(row);
  const where = row.place === undefined ? '' : `, at ${row.place.siteName}:${row.place.path}`;
  terminal.line(
    `${row.name} version ${row.version}: ${row.files} files, ${formatSize(row.bytes)}, label ${row.sensitivity}${where} (${row.artifact})`,
  );
}
