import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Removes a folder with all in it, also where a job that ran as the agent's own user took away the right to. Nobody may change it
 * meanwhile; links are removed and not followed. Throws errors of the file system.
 */
export function clearFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    giveBack(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function giveBack(folder: string): void {
  if (!lstatSync(folder).isDirectory()) return;
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) giveBack(join(folder, entry.name));
}
