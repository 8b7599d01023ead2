import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CliError } from '../cli-error.ts';

/** Throws CliError `bad-file` unless there is nothing at `target`, or an empty folder. */
export function requireNewFolder(target: string): void {
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined || (stat.isDirectory() && readdirSync(target).length === 0)) return;
  throw new CliError('bad-file', `${target} exists and is not an empty folder`, { next: 'name a new folder' });
}

/** All or nothing: lays out beside the target and moves it there when it is whole; a target that is no longer empty is left alone. */
export async function intoNewFolder<T>(target: string, layOut: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(join(dirname(target), '.ringfence-'));
  try {
    const result = await layOut(folder);
    // rename(2) replaces an empty folder and no other.
    renameSync(folder, target);
    return result;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
