import type { AgentId, EpochMs, JobId } from '@ringfence/base';
import { freeResources } from '../placement/free-resources.ts';
import { raiseInventory } from '../placement/inventory.ts';
import type { Selectable } from 'kysely';
import type { Tx } from '../store/open-store.ts';
import type { AttemptTable } from '../store/tables.ts';

/** The attempt of `job` that may run now; at most one exists (unique index). */
export function liveAttempt(tx: Tx, job: JobId): Promise<{ attempt: number; agent: AgentId } | undefined> {
  return tx
    .selectFrom('attempt')
    .select(['attempt', 'agent'])
    .where('job', '=', job)
    .where('live', '=', true)
    .executeTakeFirst();
}

/** Ends the live attempt, if any, and gives back what it reserved. */
export async function endAttempt(tx: Tx, job: JobId, now: EpochMs): Promise<void> {
  const ended = await tx
    .updateTable('attempt')
    .set({ live: false })
    .where('job', '=', job)
    .where('live', '=', true)
    .returning(['agent', 'org', 'state', 'outcome', 'stop_sent', 'running_at'])
    .executeTakeFirst();
  if (ended === undefined) return;
  await raiseInventory(tx, ended.org);
  const offer = await tx.selectFrom('offer').select('body').where('agent', '=', ended.agent).executeTakeFirst();
  if (offer === undefined) return;
  const free = await freeResources(tx, ended.agent, offer.body);
  await tx
    .updateTable('offer')
    .set((column) => ({
      ...free,
      row_version: column('row_version', '+', 1),
      ended: column('ended', '+', began(ended) ? 1 : 0),
      lost: column('lost', '+', wasLost(ended) ? 1 : 0),
      ran_ms: column('ran_ms', '+', ended.running_at === null ? 0 : Math.max(0, now - ended.running_at)),
    }))
    .where('agent', '=', ended.agent)
    .execute();
}

type EndedAttempt = Pick<Selectable<AttemptTable>, 'state' | 'outcome' | 'stop_sent' | 'running_at'>;

/** What an agent refused, or never answered about, says nothing of how it keeps what it began. */
function began(ended: EndedAttempt): boolean {
  return ended.running_at !== null || wasLost(ended);
}

/** It went with its machine: not told to stop, and not ended by the job. */
function wasLost({ state, outcome, stop_sent, running_at }: EndedAttempt): boolean {
  if (stop_sent) return false;
  return outcome === 'lease-lost' || outcome === 'interrupted' || (state === 'expired' && running_at !== null);
}
