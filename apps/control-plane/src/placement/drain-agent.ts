import type { AgentId } from '@ringfence/base';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { AnyAsker } from '../http/route.ts';
import { wishedBy } from '../http/wished-by.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { stopAtAgent } from '../marketplace/stop-at-agent.ts';
import { raiseInventory } from './inventory.ts';

/**
 * Gives an agent no new leases, or gives it some again. With `stopWithinMs` what runs there is told to stop, with so much grace, and follows
 * elsewhere where the job may be tried again; otherwise it goes on to its end. Throws ControlPlaneError `not-found`.
 */
export async function drainAgent(
  context: ControlPlaneContext,
  caller: AnyAsker,
  {
    agent,
    drain,
    stopWithinMs,
  }: { readonly agent: AgentId; readonly drain: boolean; readonly stopWithinMs?: number | undefined },
): Promise<void> {
  const { org } = caller;
  await context.changes.run(org, async (tx) => {
    const party = await tx
      .selectFrom('party')
      .select('draining')
      .where('id', '=', agent)
      .where('role', '=', 'agent')
      .where('removed', '=', false)
      .executeTakeFirst();
    if (party === undefined)
      throw new ControlPlaneError('not-found', 'there is no such agent', { next: 'see `ringfence agent ls`' });
    if (party.draining !== drain) {
      await tx.updateTable('party').set({ draining: drain }).where('id', '=', agent).execute();
      await context.record(tx, org, { type: 'agent-drained', agent, draining: drain, asker: wishedBy(caller) });
      if (!drain) await raiseInventory(tx, org);
      await context.changes.wake(tx, 'place', org);
    }
    if (drain && stopWithinMs !== undefined)
      await stopAtAgent(context, tx, { org, agent, graceMs: stopWithinMs }, 'drain');
  });
}
