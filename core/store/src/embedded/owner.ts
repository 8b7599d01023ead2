import { rmSync } from 'node:fs';
import { writeFileAtomic } from '@ringfence/base/platform';
import { readIfPresent } from '../first-writer.ts';
import { readProcess } from './process-entry.ts';

/** Makes this process the one that may stop the server; false when another living process already is. */
export function claimOwnership(path: string): boolean {
  const owner = readOwner(path);
  if (owner !== undefined && readProcess(owner.pid)?.started === owner.started) return false;
  const own = readProcess(process.pid);
  writeFileAtomic(path, JSON.stringify({ version: 1, pid: process.pid, started: own?.started ?? '' }));
  return true;
}

/** Ends this process's ownership. */
export function releaseOwnership(path: string): void {
  if (readOwner(path)?.pid === process.pid) rmSync(path, { force: true });
}

function readOwner(path: string): { pid: number; started: string } | undefined {
  const text = readIfPresent(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'pid' in value && 'started' in value)
      if (typeof value.pid === 'number' && typeof value.started === 'string')
        return { pid: value.pid, started: value.started };
  } catch {
    // Not ours to read: as good as no owner, the data folder has its own lock.
  }
  return undefined;
}
