import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of the machine that everybody may write to. */
const SHARED_FOLDERS = ['/tmp', '/var/tmp', '/dev/shm'];

/**
 * Removes what a job at level process left in folders that everybody may write to: what belongs to its own host user lies there because of
 * that job and no other. Call it when none of its processes is left. Links are removed and not followed; what cannot be removed stays.
 */
export function removeLeftovers(uid: number, folders: readonly string[] = SHARED_FOLDERS): void {
  for (const path of folders.flatMap(entriesOf)) {
    try {
      if (lstatSync(path).uid === uid) rmSync(path, { recursive: true, force: true });
    } catch {
      // gone meanwhile, or immutable
    }
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
