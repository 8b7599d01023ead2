import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readIfPresent } from '../first-writer.ts';
import { attachedTo, readPostmasterFile } from './postmaster-file.ts';
import { SOCKET_PORT } from './settings.ts';

/**
 * Removes a `postmaster.pid` whose number now belongs to a stranger or to a zombie, which PostgreSQL itself would take for a running
 * server. A dead number is left to PostgreSQL, and so is a file whose shared memory some backend still holds: that is
 * its guard against two servers on one data folder. Call only when no live server was found.
 */
export function clearStaleLock(data: string): void {
  const file = readPostmasterFile(data);
  if (file === undefined || !isTaken(file.pid)) return;
  const segments = readIfPresent('/proc/sysvipc/shm');
  if (segments === undefined || attachedTo(file.sharedMemoryId, segments) > 0) return;
  rmSync(join(data, 'postmaster.pid'), { force: true });
}

/** Removes the socket of a dead server from our private folder. */
export function clearSocket(socketDir: string): void {
  const socket = join(socketDir, `.s.PGSQL.${SOCKET_PORT}`);
  for (const path of [socket, `${socket}.lock`]) rmSync(path, { force: true });
}

function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
