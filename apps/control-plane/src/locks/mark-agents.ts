import type { AgentId, OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';

/**
 * Writes beside each agent whether a lock on it or on its site holds, as placement and the renewal of leases read it. Links of those that are
 * locked now end on every replica; waiting jobs are looked at again where one is free again. Call it after each change of locks.
 */
export async function markAgents(
  context: Pick<ControlPlaneContext, 'changes' | 'clock'>,
  tx: Tx,
  org: OrgId,
): Promise<void> {
  const now = context.clock.now();
  const { rows } = await sql<{ id: AgentId; locked: string | null }>`
    with due as (
      select party.id, (
        select case lock.source when 'fork' then 'fork' else 'lock' end from lock
        where lock.org = party.org and lock.lifted_at is null and (lock.until is null or lock.until > ${now})
          and ((lock.kind = 'agent' and lock.target = party.id) or (lock.kind = 'site' and lock.target = party.site))
        order by lock.source = 'fork' desc limit 1
      ) as reason
      from party where party.org = ${org} and party.role = 'agent' and not party.removed
    )
    update party set locked = due.reason, seen_at = case when due.reason is null then party.seen_at end
    from due where due.id = party.id and party.locked is distinct from due.reason
    returning party.id, party.locked`.execute(tx);
  for (const { id, locked } of rows) if (locked !== null) await context.changes.wake(tx, 'link', `${id} locked`);
  if (rows.some(({ locked }) => locked === null)) await context.changes.wake(tx, 'place', org);
}
