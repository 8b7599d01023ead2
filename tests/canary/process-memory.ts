// What a process holds in memory, and where its files lie, as the kernel tells the owner of the machine.
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK = 65_536;
const ZEROS = Buffer.alloc(BLOCK);

/** Contents of the writable memory of a process: runs of blocks that hold anything at all. Regions that vanish meanwhile are left out. */
export function* writableMemory(pid: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (start !== undefined && end !== undefined)
        yield* usedRuns(memory, Number.parseInt(start, 16), Number.parseInt(end, 16));
    }
  } finally {
    closeSync(memory);
  }
}

/** Most of what a process has mapped was never touched. */
function* usedRuns(memory: number, start: number, end: number): Generator<Buffer> {
  let run: Buffer[] = [];
  for (let at = start; at < end; at += BLOCK) {
    const block = readBlock(memory, at, Math.min(BLOCK, end - at));
    if (block !== undefined && block.compare(ZEROS, 0, block.length) !== 0) run.push(block);
    else if (run.length > 0) {
      yield Buffer.concat(run);
      run = [];
    }
  }
  if (run.length > 0) yield Buffer.concat(run);
}

function readBlock(memory: number, position: number, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  try {
    return bytes.subarray(0, readSync(memory, bytes, 0, length, position));
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
