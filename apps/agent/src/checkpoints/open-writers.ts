import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { SeenFile } from './look-at-folder.ts';

const WRITING = 0o3;

/** Whether one of the processes has one of the files open for writing; what cannot be read is gone. */
export function anyOpenForWriting(pids: readonly number[], files: readonly SeenFile[]): boolean {
  const nodes = new Set(files.map(({ node }) => node));
  return pids.some((pid) => descriptorsOf(pid).some((descriptor) => isOpenForWriting(pid, descriptor, nodes)));
}

function descriptorsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}

function isOpenForWriting(pid: number, descriptor: string, nodes: ReadonlySet<string>): boolean {
  try {
    const { dev, ino } = statSync(`/proc/${pid}/fd/${descriptor}`, { bigint: true });
    if (!nodes.has(`${dev}:${ino}`)) return false;
    const flags = /^flags:\s+0?([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & WRITING) !== 0;
  } catch {
    return false;
  }
}
