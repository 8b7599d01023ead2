import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '@ringfence/base';
import type { Clock } from '@ringfence/base';

const INTERVAL_MS = 2000;

/** What a file takes without a byte in it: a disk has only so many inodes. */
const INODE_BYTES = 512;

/** Bytes that `folders` occupy on disk, counted until they pass `limit`; symlinks are not followed. */
export async function bytesIn(folders: readonly string[], limit: number): Promise<number> {
  let sum = 0;
  const open = [...folders];
  for (let folder = open.pop(); folder !== undefined && sum <= limit; folder = open.pop()) {
    try {
      for await (const entry of await opendir(folder)) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) open.push(path);
        sum += (await lstat(path)).blocks * 512 + INODE_BYTES;
        if (sum > limit) break;
      }
    } catch {
      // the job removed it meanwhile
    }
  }
  return sum;
}

/**
 * Looks every two seconds whether `folders` hold more than `limit` bytes, and calls `onFull` once when they do. A job can
 * pass the limit for that long; a single file cannot (RLIMIT_FSIZE).
 */
export async function watchDisk(
  watch: { readonly folders: readonly string[]; readonly limit: number; readonly signal: AbortSignal },
  clock: Clock,
  onFull: () => void,
): Promise<void> {
  while (!watch.signal.aborted) {
    await sleep(clock, INTERVAL_MS, watch.signal);
    if (watch.signal.aborted) return;
    if ((await bytesIn(watch.folders, watch.limit)) > watch.limit) return onFull();
  }
}
