import type { AgentId, OrgId } from '@ringfence/base';
import type { CustodianContext } from '../context.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';

/** Locks an agent whose journal forked: two machines hold its identity, and neither may go on. The control plane is told. */
export async function lockAgent(
  context: CustodianContext,
  tx: Tx,
  { org, agent, reason }: { org: OrgId; agent: AgentId; reason: 'fork' | 'incident' },
): Promise<void> {
  const locked = await tx
    .updateTable('agent')
    .set({ locked: reason })
    .where('agent', '=', agent)
    .where('locked', 'is', null)
    .returning('agent')
    .executeTakeFirst();
  if (locked === undefined) return;
  await context.record(tx, org, { type: 'agent-locked', agent, reason });
  await enqueue(tx, org, { name: 'lock', body: { agent, reason } });
}
