import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { clearFolder } from '../machine/clear-folder.ts';
import { isFileError, stampOfOpen, withFolder, type SeenFile } from './look-at-folder.ts';

const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Copies `files` of the folder at `steps` under `root` to the new folder `to`, where the job cannot reach them; shared blocks where the file
 * system has them. False when one of them is not what was seen any more.
 */
export async function copyCheckpoint(
  root: string,
  steps: readonly string[],
  files: readonly SeenFile[],
  to: string,
): Promise<boolean> {
  clearFolder(to);
  mkdirSync(to, { mode: 0o700 });
  for (const { path, stamp } of files) {
    const descriptor = openSeen(root, [...steps, ...path.split('/')]);
    if (descriptor === undefined) return false;
    try {
      if (stampOfOpen(descriptor) !== stamp) return false;
      const target = join(to, path);
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      await copyFile(`/proc/self/fd/${descriptor}`, target, constants.COPYFILE_FICLONE);
      if (stampOfOpen(descriptor) !== stamp) return false;
    } finally {
      closeSync(descriptor);
    }
  }
  return true;
}

function openSeen(root: string, steps: readonly string[]): number | undefined {
  try {
    return withFolder(root, steps.slice(0, -1), (folder) => openSync(`${folder}/${steps.at(-1) ?? ''}`, FILE));
  } catch (error) {
    if (isFileError(error)) return undefined;
    throw error;
  }
}
