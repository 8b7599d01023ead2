import { resolve } from 'node:path';
import { formatSize } from '@ringfence/base';
import { openPack, readObject } from '@ringfence/client/pack';
import type { CommandContext } from '../command.ts';
import { byteProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { intoNewFolder, requireNewFolder } from './new-folder.ts';

/** Fetches the sealed objects of an artifact and opens them in a new folder. Throws CliError `bad-file`, `not-released`. */
export async function getArtifact(
  { terminal }: CommandContext,
  { profile, custodian }: Session,
  { name, version, out }: { readonly name: string; readonly version: number | undefined; readonly out: string },
): Promise<void> {
  const target = resolve(out);
  requireNewFolder(target);
  const progress = byteProgress(terminal, 'opening');
  const found = await custodian.openArtifact(name, version);
  const parts = { org: profile.org, project: found.project, pack: found.pack, onProgress: progress.add };
  const opened = await intoNewFolder(target, (folder) =>
    openPack({ ...parts, folder, fetch: async (digest) => readObject(await custodian.object(digest)) }),
  );
  progress.end();
  const { artifact } = found;
  const files = opened.files.map(({ path }) => path);
  terminal.value({ artifact, files });
  terminal.line(
    `${name} version ${artifact.version}: ${files.length} files, ${formatSize(artifact.bytes)} in ${target}`,
  );
}
