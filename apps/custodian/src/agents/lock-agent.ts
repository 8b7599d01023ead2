import { newId, type AgentId, type OrgId } from '@ringfence/base';
import { takeLock } from '@ringfence/store/locks';
import type { CustodianContext } from '../context.ts';
import { noteLock } from '../locks/lock-desk.ts';
import type { Tx } from '../store/open-store.ts';

/** Locks an agent whose journal forked: two machines hold its identity, and neither may go on. It is a lock as officers set them, and they lift it. */
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
  const now = context.clock.now();
  const target = { kind: 'agent', agent } as const;
  const lock = await takeLock(tx, { id: newId('lock', context.rng), org, target, source: 'fork', until: null, now });
  if (lock !== undefined) await noteLock(context.record, tx, { type: 'set', lock });
}
