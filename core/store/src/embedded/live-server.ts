import { statSync } from 'node:fs';
import type { Clock } from '@ringfence/base';
import { readPostmasterFile } from './postmaster-file.ts';
import { readProcess, servesData, type ProcessEntry } from './process-entry.ts';
import { stopServer } from './server-process.ts';
import { removeSocketFolder } from './socket-folder.ts';

/** The live server of the data folder, if there is one. */
export function liveServer(data: string): ProcessEntry | undefined {
  const owner = statSync(data, { throwIfNoEntry: false })?.uid;
  const file = owner === undefined ? undefined : readPostmasterFile(data);
  const entry = file === undefined ? undefined : readProcess(file.pid);
  return entry !== undefined && owner !== undefined && servesData(entry, data, owner) ? entry : undefined;
}

/** Stops the server of the data folder if one runs, and removes its socket. Throws `stop-failed`. */
export async function stopLiveServer(data: string, clock: Clock): Promise<void> {
  const live = liveServer(data);
  if (live === undefined) return;
  const socketDir = readPostmasterFile(data)?.socketDir ?? '';
  await stopServer(live, clock);
  removeSocketFolder(socketDir);
}
