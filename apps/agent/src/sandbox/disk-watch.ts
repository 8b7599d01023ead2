import { lstat, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '@ringfence/base';
import type { Clock } from '@ringfence/base';

const INTERVAL_MS = 2000;
/** Between two looks at how much the disk has left, where no kernel bounds a single file. */
const QUICK_MS = 50;

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

/** What {@link watchDisk} watches. */
export interface DiskWatch {
  readonly folders: readonly string[];
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Look at once when the disk itself has lost as much as the limit: for levels at which a single file is not bounded. */
  readonly quick?: boolean;
}

/**
 * Looks every two seconds whether `folders` hold more than `limit` bytes, and calls `onFull` once when they do. A job can
 * pass the limit for that long; a single file cannot (RLIMIT_FSIZE), or is found by what the disk lost.
 */
export async function watchDisk(watch: DiskWatch, clock: Clock, onFull: () => void): Promise<void> {
  const { folders, limit, signal, quick = false } = watch;
  let free = quick ? await freeBytes(folders) : 0;
  let looked = clock.monotonic();
  while (!signal.aborted) {
    await sleep(clock, quick ? QUICK_MS : INTERVAL_MS, signal);
    if (signal.aborted) return;
    const left = quick ? await freeBytes(folders) : 0;
    if (quick && free - left < limit && clock.monotonic() - looked < INTERVAL_MS) continue;
    free = left;
    looked = clock.monotonic();
    if ((await bytesIn(folders, limit)) > limit) return onFull();
  }
}

/** What the disks of `folders` have left together. */
async function freeBytes(folders: readonly string[]): Promise<number> {
  const disks = await Promise.all(folders.map((folder) => statfs(folder).catch(() => ({ bfree: 0, bsize: 0 }))));
  return disks.reduce((sum, { bfree, bsize }) => sum + bfree * bsize, 0);
}
