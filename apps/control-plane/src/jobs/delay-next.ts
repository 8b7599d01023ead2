import { epochMs, type JobId, type OrgId } from '@ringfence/base';
import { backOff } from '@ringfence/policy';
import type { RetryReason } from '@ringfence/protocol';
import type { Tx } from '../store/open-store.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/** Writes down when and why the next attempt of a queued job may be leased; the placer looks at it then, after a restart too. */
export async function delayNext(
  context: ControlPlaneContext,
  tx: Tx,
  { org, job, cause }: { readonly org: OrgId; readonly job: JobId; readonly cause: RetryReason | undefined },
): Promise<void> {
  if (cause === undefined) throw new Error('nothing is put off without a cause');
  const now = context.clock.now();
  const row = await tx
    .selectFrom('job')
    .leftJoin('attempt', (join) =>
      join.onRef('attempt.job', '=', 'job.job').onRef('attempt.attempt', '=', 'job.attempts'),
    )
    .select(['retry_counts', 'running_at'])
    .where('job.job', '=', job)
    .executeTakeFirstOrThrow();
  const ranMs = row.running_at === null ? 0 : now - row.running_at;
  const { counts, delayMs } = backOff({ counts: row.retry_counts, cause, ranMs, rng: context.rng });
  const { inventory } = await tx
    .selectFrom('organisation')
    .select('inventory')
    .where('org', '=', org)
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('job')
    .set({
      not_before: now + delayMs,
      retry_reason: cause,
      retry_counts: JSON.stringify(counts),
      inventory_seen: inventory,
    })
    .where('job', '=', job)
    .execute();
  await context.record(tx, org, { type: 'job-backs-off', job, reason: cause, notBefore: epochMs(now + delayMs) });
}
