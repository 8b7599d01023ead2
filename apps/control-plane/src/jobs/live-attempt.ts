import type { AgentId, JobId } from '@ringfence/base';
import type { FreeResources } from '@ringfence/policy';
import { sql } from 'kysely';
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
export async function endAttempt(tx: Tx, job: JobId): Promise<void> {
  const ended = await tx
    .updateTable('attempt')
    .set({ live: false })
    .where('job', '=', job)
    .where('live', '=', true)
    .returning(['offer', 'cpu_milli', 'memory_bytes', 'disk_bytes', 'gpus'])
    .executeTakeFirst();
  if (ended === undefined) return;
  const offer = await tx
    .selectFrom('offer')
    .select('free_gpus')
    .where('offer', '=', ended.offer)
    .forUpdate()
    .executeTakeFirst();
  if (offer === undefined) return;
  await tx
    .updateTable('offer')
    .set((column) => ({
      free_cpu_milli: column('free_cpu_milli', '+', ended.cpu_milli),
      free_memory_bytes: column('free_memory_bytes', '+', ended.memory_bytes),
      free_disk_bytes: column('free_disk_bytes', '+', ended.disk_bytes),
      free_gpus: JSON.stringify(addGpus(offer.free_gpus, ended.gpus, 1)),
      row_version: column('row_version', '+', 1),
    }))
    .where('offer', '=', ended.offer)
    .execute();
}

/** What the agent's live attempts hold. */
export async function heldBy(
  tx: Tx,
  agent: AgentId,
): Promise<Pick<AttemptTable, 'cpu_milli' | 'memory_bytes' | 'disk_bytes'> & { gpus: FreeResources['gpus'] }> {
  const rows = await tx
    .selectFrom('attempt')
    .select(['cpu_milli', 'memory_bytes', 'disk_bytes', 'gpus'])
    .where('agent', '=', agent)
    .where('live', '=', true)
    .execute();
  return {
    cpu_milli: rows.reduce((sum, row) => sum + row.cpu_milli, 0),
    memory_bytes: rows.reduce((sum, row) => sum + row.memory_bytes, 0),
    disk_bytes: rows.reduce((sum, row) => sum + row.disk_bytes, 0),
    gpus: rows.reduce<FreeResources['gpus']>((sum, row) => addGpus(sum, row.gpus, 1), []),
  };
}

/** GPU counts by model and memory: `a` plus `sign` times `b`, never below zero. */
export function addGpus(a: FreeResources['gpus'], b: FreeResources['gpus'], sign: 1 | -1): FreeResources['gpus'] {
  const sum = a.map((gpu) => ({ ...gpu }));
  for (const gpu of b) {
    const same = sum.find((other) => other.model === gpu.model && other.memoryBytes === gpu.memoryBytes);
    if (same === undefined) sum.push({ ...gpu, count: sign * gpu.count });
    else same.count += sign * gpu.count;
  }
  return sum.map((gpu) => ({ ...gpu, count: Math.max(0, gpu.count) }));
}

/** Takes the organisation's placement turn: reservations of one organisation happen one after the other. */
export async function lockInventory(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(current_setting('rf.org', true)))`.execute(tx);
}
