import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replaces the file at `path` by `bytes` so that a crash leaves the old content or the new, never a mixture: write a
 * sibling, fsync it, rename, fsync the folder. Default mode 0600.
 */
export function writeFileAtomic(path: string, bytes: Uint8Array | string, mode = 0o600): void {
  const sibling = `${path}.${process.pid}.new`;
  rmSync(sibling, { force: true });
  const file = openSync(sibling, 'wx', mode);
  try {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    for (let at = 0; at < buffer.length;) at += writeSync(file, buffer, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(sibling, path);
  syncFolder(dirname(path));
}

/** Makes the folder at `path` (mode 0700) with its parents, durably enough that a file in it survives a crash. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** fsync of a folder: its entries survive power loss. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
