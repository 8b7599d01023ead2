import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Clock, Rng } from '@ringfence/base';
import type { CgroupBase } from './capabilities.ts';
import { claimCgroupBase } from './claim-cgroups.ts';
import { endTree } from './end-tree.ts';
import { createCgroup } from './open-cgroup.ts';
import { processStat } from './process-table.ts';

/**
 * Where cgroups for jobs can be made, as seen by making one, setting limits, and ending a process in it; null where any of
 * it fails and rlimits must do.
 */
export async function tryCgroupBase(host: { readonly clock: Clock; readonly rng: Rng }): Promise<CgroupBase | null> {
  const base = claimCgroupBase();
  if (base === null) return null;
  const id = Buffer.from(host.rng.bytes(16)).toString('hex');
  const child = spawn('/bin/cat', [], { stdio: ['pipe', 'ignore', 'ignore'], env: {}, cwd: '/' });
  const exited = once(child, 'exit');
  try {
    const pid = child.pid ?? 0;
    const cgroup = createCgroup({ base, memoryBytes: 2 ** 26, cpus: 1, pids: 16 }, id);
    try {
      cgroup.add(pid);
    } finally {
      await endTree({ id, pid, startTicks: processStat(pid)?.startTicks ?? 0, uid: null, cgroup }, host.clock);
    }
    await exited;
    return base;
  } catch {
    child.kill('SIGKILL');
    return null;
  }
}
