// One kill -9 at a named step of launch → commit, and what must hold after the process is back.
import type { ArmedHouse, KillPoint } from './armed-house.ts';
import { assertCommittedOnce, untilOver } from './job-outcome.ts';
import { orderJob } from './order.ts';

const KILLED_WITHIN_MS = 20_000;

/**
 * Arms the process, orders as many jobs at once as the passing needs, starts the process again once it has killed itself, and follows every
 * job to its one commit. False when the step was not passed that often.
 */
export async function killOnce(armed: ArmedHouse, kill: KillPoint): Promise<boolean> {
  armed.arm(kill);
  const ordering = Promise.all(Array.from({ length: kill.pass }, () => orderJob(armed)));
  // Reported below, where it is awaited.
  ordering.catch(() => {});
  const revived = await armed.revive(kill.process, KILLED_WITHIN_MS);
  armed.disarm(kill.process);
  for (const ordered of await ordering) {
    const view = await untilOver(armed, ordered);
    await assertCommittedOnce(armed, ordered, view, `${kill.process} ${kill.point}:${kill.pass}`);
  }
  return revived !== undefined;
}
