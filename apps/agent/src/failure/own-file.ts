import { lstatSync } from 'node:fs';
import { isFileError, withFolder } from '../checkpoints/look-at-folder.ts';

/** Whether `path` is a regular file below `folder`; the job wrote there, so no link on the way is followed. */
export function isFileBelow(folder: string, path: string): boolean {
  const steps = path.split('/');
  try {
    return withFolder(folder, steps.slice(0, -1), (parent) => lstatSync(`${parent}/${steps.at(-1) ?? ''}`).isFile());
  } catch (error) {
    if (isFileError(error)) return false;
    throw error;
  }
}
