import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CustodianError } from '../custodian-error.ts';

/** Marks a folder whose restore did not finish: nothing starts from it. */
export function restoreMarker(state: string): string {
  return join(state, 'restoring');
}

/** Throws CustodianError `bad-backup` for a folder whose restore did not finish. */
export function refuseHalfRestored(state: string): void {
  if (!existsSync(restoreMarker(state))) return;
  throw new CustodianError('bad-backup', 'a restore into this folder did not finish', {
    next: 'delete the folder and restore again',
  });
}
