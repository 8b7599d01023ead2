import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PackEntry } from '@ringfence/client/pack';
import { CliError } from '../cli-error.ts';

/** What is below `folder`, sorted: files and links; anything else is refused. Throws CliError `bad-file`. */
function folderEntries(folder: string): PackEntry[] {
  const entries: PackEntry[] = [];
  const pending = [''];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    for (const name of readdirSync(join(folder, below)).toSorted()) {
      const path = below === '' ? name : `${below}/${name}`;
      const stat = lstatSync(join(folder, path));
      if (stat.isDirectory()) pending.push(path);
      else if (stat.isSymbolicLink()) entries.push({ kind: 'link', path, target: readlinkSync(join(folder, path)) });
      else if (stat.isFile()) entries.push({ kind: 'file', path, executable: (stat.mode & 0o111) !== 0 });
      else
        throw new CliError('bad-file', `${path} is no file, folder or link`, {
          next: 'remove it from the folder',
        });
    }
  }
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** A folder with all its entries, or a single file as a folder of one. Throws CliError `bad-file`. */
export function folderOrFile(path: string): { folder: string; entries: PackEntry[] } {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new CliError('bad-file', `${path} does not exist`, { next: 'name a folder or a file' });
  if (stat.isDirectory()) return { folder: path, entries: folderEntries(path) };
  return { folder: dirname(path), entries: [{ kind: 'file', path: basename(path), executable: false }] };
}

/** Text of a file, or undefined when there is none. */
export function textIfThere(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'utf8') : undefined;
}
