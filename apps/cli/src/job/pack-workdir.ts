import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { formatSize } from '@ringfence/base';
import { sealPack, type PackEntry, type SealedPack } from '@ringfence/client/pack';
import { packList, workdirIgnore, type IgnoreFile, type WorkdirEntry } from '@ringfence/protocol/job-file';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { byteProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { dedupeKeyOf } from './dedupe-key.ts';
import { textIfThere } from './folder-entries.ts';
import { refuseSecrets } from './refuse-secrets.ts';

/** Names of the files that say what stays behind; the latter go before the former. */
export const IGNORE_FILES = ['.gitignore', '.ringfenceignore'];

/** Seals and uploads what of a workdir travels with its job, changed chunks only, and says what that was. Throws CliError `bad-file` with every reason. */
export async function packWorkdir(context: CommandContext, session: Session, workdir: string): Promise<SealedPack> {
  const { entries, leftOut } = travelling(workdir);
  const progress = byteProgress(context.terminal, 'packing');
  const sealed = await sealPack({
    folder: workdir,
    entries,
    org: session.profile.org,
    project: session.profile.project,
    dedupeKey: await dedupeKeyOf(session),
    custodian: session.custodian,
    rng: context.rng,
    onProgress: progress.add,
  });
  progress.end();
  const { files, bytes, uploaded } = sealed;
  context.terminal.value({ event: 'packed', files, bytes, uploaded, leftOut });
  for (const line of packedLines(sealed, leftOut)) context.terminal.line(line);
  return sealed;
}

const MOST_LEFT_NAMED = 8;

/** What travels with a job and what stays, for people. */
export function packedLines(
  { files, bytes, uploaded }: Pick<SealedPack, 'files' | 'bytes' | 'uploaded'>,
  leftOut: readonly string[],
): string[] {
  const known = uploaded < bytes ? `, ${formatSize(uploaded)} of it new to the custodian` : '';
  const packed = `Packed   ${files} ${files === 1 ? 'file' : 'files'}, ${formatSize(bytes)}${known}`;
  if (leftOut.length === 0) return [packed];
  const more = leftOut.length > MOST_LEFT_NAMED ? ` and ${leftOut.length - MOST_LEFT_NAMED} more` : '';
  return [packed, `         left out: ${leftOut.slice(0, MOST_LEFT_NAMED).join(', ')}${more}`];
}

/** What of a workdir travels, and what ignore files leave out, both in order. Throws CliError `bad-file` with every reason why it cannot. */
export function travelling(workdir: string): { readonly entries: PackEntry[]; readonly leftOut: string[] } {
  const { entries, ignoreFiles, leftOut } = walk(workdir);
  const decision = packList(entries, ignoreFiles);
  if (decision.allow) {
    refuseSecrets(
      workdir,
      decision.entries.filter(({ kind }) => kind === 'file'),
    );
    return { entries: decision.entries.flatMap((entry) => packEntry(workdir, entry)), leftOut: leftOut.toSorted() };
  }
  const reasons = decision.reasons.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new CliError('bad-file', `the workdir cannot travel: ${reasons}`, {
    next: 'leave these out with .ringfenceignore',
  });
}

function packEntry(workdir: string, { path, kind, linkTarget }: WorkdirEntry): PackEntry[] {
  if (kind === 'symlink') return [{ kind: 'link', path, target: linkTarget ?? '' }];
  if (kind !== 'file') return [];
  return [{ kind: 'file', path, executable: (lstatSync(join(workdir, path)).mode & 0o111) !== 0 }];
}

/** Everything below the workdir but what ignore files above it leave out; an ignored folder is not entered. */
function walk(workdir: string): { entries: WorkdirEntry[]; ignoreFiles: IgnoreFile[]; leftOut: string[] } {
  const leftOut: string[] = [];
  const entries: WorkdirEntry[] = [];
  const ignoreFiles: IgnoreFile[] = [];
  const pending = [''];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    const at = (name: string): string => (below === '' ? name : `${below}/${name}`);
    for (const name of IGNORE_FILES) {
      const text = textIfThere(join(workdir, at(name)));
      if (text !== undefined) ignoreFiles.push({ path: at(name), text });
    }
    const leaves = workdirIgnore(ignoreFiles) ?? (() => false);
    for (const name of list(join(workdir, below))) {
      const entry = entryOf(workdir, at(name));
      const isFolder = entry.kind === 'directory';
      const left = leaves(entry.path, isFolder ? 'folder' : 'other');
      if (left) leftOut.push(isFolder ? `${entry.path}/` : entry.path);
      if (left && isFolder) continue;
      entries.push(entry);
      if (entry.kind === 'directory') pending.push(entry.path);
    }
  }
  return { entries, ignoreFiles, leftOut };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (cause) {
    throw new CliError('bad-file', `${folder} cannot be read`, { cause, next: 'check `workdir` in the job file' });
  }
}

function entryOf(workdir: string, path: string): WorkdirEntry {
  const full = join(workdir, path);
  const stat = lstatSync(full);
  if (stat.isFile()) return { path, kind: 'file', size: stat.size };
  if (stat.isDirectory()) return { path, kind: 'directory', size: 0 };
  if (stat.isSymbolicLink()) return { path, kind: 'symlink', size: 0, linkTarget: readlinkSync(full) };
  if (stat.isSocket()) return { path, kind: 'socket', size: 0 };
  return { path, kind: stat.isFIFO() ? 'fifo' : 'device', size: 0 };
}
