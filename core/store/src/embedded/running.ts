import { join } from 'node:path';
import { sleep, type Clock } from '@ringfence/base';
import { StoreError } from '../store-error.ts';
import { liveServer } from './live-server.ts';
import type { PreparedCluster } from './prepare.ts';
import type { Places } from './places.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import type { ProcessEntry } from './process-entry.ts';
import { isAlive, launchServer, stopServer } from './server-process.ts';
import { answers, makeSocketFolder, removeSocketFolder } from './socket-folder.ts';
import { clearSocket, clearStaleLock } from './stale-lock.ts';

const RETRY_MS = 100;
/** How long backends of a killed server may hold its shared memory; they notice its death at their next wait. */
const RETRY_WITHIN_MS = 60_000;

/** A server that accepts connections. */
export interface RunningServer {
  readonly entry: ProcessEntry;
  readonly socketDir: string;
  /** Whether it ran before this call. */
  readonly reused: boolean;
}

/**
 * Finds the server of the cluster running, or starts one (with the socket in `socketDir` when given), whatever a dirty stop left
 * behind. A server with other programs or without its socket is stopped first. Throws `start-failed`, `stop-failed`.
 */
export async function ensureRunning(
  cluster: PreparedCluster,
  clock: Clock,
  socketDir?: string,
): Promise<RunningServer> {
  const folder = socketDir ?? makeSocketFolder(cluster.account);
  try {
    const running = await findOrLaunch(cluster, clock, folder);
    if (running.socketDir !== folder) removeSocketFolder(folder);
    return running;
  } catch (error) {
    if (socketDir === undefined) removeSocketFolder(folder);
    throw error;
  }
}

async function findOrLaunch(cluster: PreparedCluster, clock: Clock, folder: string): Promise<RunningServer> {
  const { places } = cluster;
  const deadline = clock.monotonic() + RETRY_WITHIN_MS;
  while (clock.monotonic() < deadline) {
    const live = liveServer(places.data);
    if (live === undefined) {
      removeFormerSocket(places, folder);
      clearStaleLock(places.data);
      clearSocket(folder);
      const launched = await launchServer({ ...cluster, socketDir: folder, clock });
      if (launched.result === 'ready') return { entry: launched.entry, socketDir: folder, reused: false };
    } else {
      const found = await inspect(cluster, live);
      if (found !== undefined) return found;
      if (readPostmasterFile(places.data)?.status === 'ready' && isAlive(live)) await stopServer(live, clock);
    }
    await sleep(clock, RETRY_MS);
  }
  throw new StoreError('start-failed', 'processes of an earlier server still hold the data folder', {
    next: 'end the processes whose working folder is the data folder, then start again',
  });
}

/** The live server when it can be used as it is: our programs, ready, and reachable through its socket. */
async function inspect(cluster: PreparedCluster, live: ProcessEntry): Promise<RunningServer | undefined> {
  const file = readPostmasterFile(cluster.places.data);
  if (file === undefined || file.pid !== live.pid || file.status !== 'ready') return undefined;
  if (live.command[0] !== join(cluster.binaries.folder, 'bin', 'postgres')) return undefined;
  return (await answers(file.socketDir)) ? { entry: live, socketDir: file.socketDir, reused: true } : undefined;
}

function removeFormerSocket(places: Places, folder: string): void {
  const former = readPostmasterFile(places.data)?.socketDir ?? '';
  if (former !== folder) removeSocketFolder(former);
}
