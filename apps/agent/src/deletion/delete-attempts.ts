import { readdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { OrgId } from '@ringfence/base';
import type { NamedAttempt } from '@ringfence/protocol/statements';
import { AttemptFolder } from '../attempt/attempt-folder.ts';
import { clearFolder } from '../machine/clear-folder.ts';
import type { Machine } from '../machine/machine.ts';
import { attemptRoom } from '../machine/work-folder.ts';

/** The parts of a machine that hold something of attempts. */
export type DeletedFrom = Pick<Machine, 'state' | 'folders' | 'cache' | 'setups' | 'images' | 'logQuota'>;

/**
 * Removes what this machine holds of attempts of `org` that are over: what is left of the folders in which they ran, their logs, metrics and notes, and
 * all of the caches that attempts of any organisation share (sealed objects, results of setups, images) but what a live attempt uses at this
 * moment. An attempt that was never here leaves nothing to remove. Throws errors of the file system: then some of it may be left.
 */
export function deleteAttempts(machine: DeletedFrom, org: OrgId, attempts: readonly NamedAttempt[]): void {
  const { state, folders, cache, setups, images, logQuota } = machine;
  for (const attempt of attempts) {
    const { path, about } = new AttemptFolder(state, attempt);
    // Of another organisation, whose control plane alone gives such orders.
    if (about !== undefined && about.org !== org) continue;
    clearFolder(attemptRoom(folders, attempt));
    clearFolder(path);
    removeEmpty(dirname(path));
  }
  logQuota.forgetRemoved();
  // Nothing here says whose an entry is: what is kept for others is fetched again.
  cache.clear();
  setups.clear();
  images.store.clear();
}

function removeEmpty(folder: string): void {
  try {
    if (readdirSync(folder).length === 0) rmdirSync(folder);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
