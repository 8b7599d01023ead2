import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { HostIdentity } from './capabilities.ts';
import { blockingFolder } from './mount-access.ts';
import { placeCopy } from './place-copy.ts';

/**
 * A folder with `bin/` of the runtime at `source` that the job's host user can reach: `source` itself, or, where a private
 * parent folder bars the way, a copy at `copy` (made once, by temporary name and rename, 0755 throughout). `users` null: jobs
 * run as the agent's own user. The parents of `copy` must let everyone pass.
 */
export function shareRuntime(source: string, copy: string, identity: HostIdentity | null): string {
  const real = realpathSync(source);
  if (identity === null || blockingFolder(join(real, 'bin', '.'), identity) === null) return real;
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${process.pid}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(join(draft, 'bin'), { recursive: true });
  for (const name of readdirSync(join(real, 'bin'))) {
    const target = join(draft, 'bin', name);
    copyFileSync(join(real, 'bin', name), target, constants.COPYFILE_FICLONE);
    chmodSync(target, 0o755);
  }
  for (const folder of [draft, join(draft, 'bin')]) chmodSync(folder, 0o755);
  placeCopy(draft, copy);
  return copy;
}
