import type { AgentId, OrgId } from '@ringfence/base';
import type { StopCause } from '@ringfence/protocol/api';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { sendStop } from '../jobs/send-stop.ts';
import type { Tx } from '../store/open-store.ts';

/** Tells everything that runs at an agent to stop, once, with so much grace; it follows elsewhere where its job may be tried again. */
export async function stopAtAgent(
  context: ControlPlaneContext,
  tx: Tx,
  { org, agent, graceMs }: { readonly org: OrgId; readonly agent: AgentId; readonly graceMs: number },
  cause: StopCause,
): Promise<void> {
  const running = await tx
    .selectFrom('attempt')
    .select('job')
    .where('agent', '=', agent)
    .where('live', '=', true)
    .where('stop_sent', '=', false)
    .execute();
  for (const { job } of running) await sendStop(context, tx, { org, job, graceMs }, cause);
}
