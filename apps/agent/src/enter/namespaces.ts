import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { processStat } from '../sandbox/process-table.ts';

/** The namespaces of a sandbox that are joined, by their names in /proc and as nsenter has them. */
export const JOINED = { mnt: 'mount', pid: 'pid', net: 'net', ipc: 'ipc' } as const;
const APART = ['mnt', 'pid', 'net'] as const;

/**
 * Opens the namespaces of the process `init`, in the order of {@link JOINED}; undefined when it is gone, or shares one with the agent: then it
 * is not the first process of a sandbox, whatever its number says. What is open stays the same when the number is given to another process.
 */
export function openNamespaces(init: number): readonly number[] | undefined {
  const before = processStat(init);
  const opened: number[] = [];
  try {
    for (const name of Object.keys(JOINED)) opened.push(openSync(`/proc/${init}/ns/${name}`, 'r'));
    const after = processStat(init);
    const same = before !== null && after !== null && after.startTicks === before.startTicks && after.state !== 'Z';
    if (same && isApart(opened)) return opened;
  } catch (error) {
    closeAll(opened);
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
  closeAll(opened);
  return undefined;
}

/** Closes what {@link openNamespaces} opened. */
export function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}

function isApart(opened: readonly number[]): boolean {
  const names = Object.keys(JOINED);
  return APART.every((name) => {
    const descriptor = opened[names.indexOf(name)];
    return descriptor !== undefined && fstatSync(descriptor).ino !== statSync(`/proc/self/ns/${name}`).ino;
  });
}
