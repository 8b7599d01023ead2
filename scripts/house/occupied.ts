// One launcher at a time: a second one in the same folder would end the first one's processes as leftovers.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTicks } from './started-process.ts';

/** Marks the house at `root` as this process's and returns how to let go of it; throws when another living process has it. */
export function occupy(root: string): () => void {
  const file = join(root, 'launcher.json');
  if (existsSync(file)) {
    const { pid, start } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; start: string };
    if (pid !== process.pid && startTicks(pid) === start)
      throw new Error(
        `it runs already, as process ${pid}: stop that one first (Ctrl-C), or name another folder with --state DIR`,
      );
  }
  writeFileSync(file, JSON.stringify({ pid: process.pid, start: startTicks(process.pid) }), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}
