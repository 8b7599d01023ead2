import { sleep } from '@ringfence/base';
import type { Clock } from '@ringfence/base';
import { killTree, membersOf } from './process-tree.ts';
import type { TreeIdentity } from './process-tree.ts';
import { SandboxError } from './sandbox-error.ts';

const PASS_MS = 10;
const MOST_PASSES = 1000;

/**
 * Kills everything in the sandbox and waits until it is gone, its cgroup included. Throws SandboxError `not-stopped` after
 * ten seconds: a process that the kernel cannot end (stuck in a device) must not be reported as stopped (invariant 5).
 */
export async function endTree(tree: TreeIdentity, clock: Clock): Promise<void> {
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    if (membersOf(tree).length === 0 && (tree.cgroup === null || tree.cgroup.remove())) return;
    killTree(tree);
    await sleep(clock, PASS_MS);
  }
  throw new SandboxError('not-stopped', 'processes of a job outlive SIGKILL', {
    next: 'look for processes in state D; the machine may need a restart',
  });
}
