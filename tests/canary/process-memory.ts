// What a process holds in memory, and where its files lie, as the kernel tells the owner of the machine.
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LARGEST_REGION = 1 << 30;

/** Contents of the writable regions of a process, one buffer each; regions that vanish meanwhile are left out. */
export function* writableMemory(pid: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (start === undefined || end === undefined) continue;
      const length = Number.parseInt(end, 16) - Number.parseInt(start, 16);
      if (length > LARGEST_REGION) continue;
      const bytes = readRegion(memory, BigInt(`0x${start}`), length);
      if (bytes !== undefined) yield bytes;
    }
  } finally {
    closeSync(memory);
  }
}

function readRegion(memory: number, position: bigint, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  try {
    const read = readSync(memory, bytes, 0, length, position);
    return bytes.subarray(0, read);
  } catch {
    return undefined;
  }
}

/** The folder in which a process works: PostgreSQL's is its data folder. */
export function workingFolder(pid: number): string {
  return readlinkSync(`/proc/${pid}/cwd`);
}

/** Every regular file below a folder with its content. */
export function* filesBelow(folder: string): Generator<{ path: string; bytes: Buffer }> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile() && statSync(path).size > 0) yield { path, bytes: readFileSync(path) };
  }
}
