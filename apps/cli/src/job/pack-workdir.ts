import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { sealPack, type PackEntry, type SealedPack } from '@ringfence/client/pack';
import { packList, workdirIgnore, type IgnoreFile, type WorkdirEntry } from '@ringfence/protocol/job-file';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { byteProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { dedupeKeyOf } from './dedupe-key.ts';
import { textIfThere } from './folder-entries.ts';

const IGNORE_FILES = ['.gitignore', '.ringfenceignore'];

/** Seals and uploads what of a workdir travels with its job; changed chunks only. Throws CliError `bad-file` with every reason. */
export async function packWorkdir(context: CommandContext, session: Session, workdir: string): Promise<SealedPack> {
  const entries = travelling(workdir);
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
  return sealed;
}

/** What of a workdir travels, in order. Throws CliError `bad-file` with every reason why it cannot. */
export function travelling(workdir: string): PackEntry[] {
  const { entries, ignoreFiles } = walk(workdir);
  const decision = packList(entries, ignoreFiles);
  if (decision.allow) return decision.entries.flatMap((entry) => packEntry(workdir, entry));
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
function walk(workdir: string): { entries: WorkdirEntry[]; ignoreFiles: IgnoreFile[] } {
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
      if (entry.kind === 'directory' && leaves(entry.path, 'folder')) continue;
      entries.push(entry);
      if (entry.kind === 'directory') pending.push(entry.path);
    }
  }
  return { entries, ignoreFiles };
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
