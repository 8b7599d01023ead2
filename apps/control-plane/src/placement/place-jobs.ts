import { canonicalJson, type JobId, type OrgId } from '@ringfence/base';
import type { Placement } from '@ringfence/policy/placement';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { dueAt } from './back-off-end.ts';
import type { KeptInventory } from './kept-inventory.ts';
import { leaseJob } from './lease-job.ts';
import { reserveOffer } from './reserve-offer.ts';
import { signPlacement } from './sign-placement.ts';
import { holdJobs, requestOf, type WaitingJob } from './waiting-job.ts';

/** Decision, reservation, receipt, lease and message of each of an organisation's waiting jobs that fits somewhere: all in one transaction. */
export async function placeJobs(context: ControlPlaneContext, org: OrgId, ids: readonly JobId[]): Promise<void> {
  const kept = context.inventories.of(org);
  let placed = 0;
  try {
    placed = await context.changes.run(org, (tx) => placeIn(context, tx, { org, ids, kept }));
  } catch (error) {
    // It may know of reservations that were never made.
    context.inventories.forget(org);
    throw error;
  }
  if (placed > 0) context.fault('place-after-commit');
}

/** An organisation's placer within one transaction of one term. */
interface Turn {
  readonly org: OrgId;
  readonly kept: KeptInventory;
  readonly term: number;
}

async function placeIn(
  context: ControlPlaneContext,
  tx: Tx,
  { org, ids, kept }: { org: OrgId; ids: readonly JobId[]; kept: KeptInventory },
): Promise<number> {
  const [term, jobs] = await Promise.all([context.term.assertHeld(tx), holdJobs(tx, ids)]);
  const due = await dueOf(tx, org, { jobs, now: context.clock.now() });
  if (due.length === 0) return 0;
  await kept.bringUpToDate(tx, context.clock.now());
  let placed = 0;
  for (const job of due) if (await placeJob(context, tx, { org, kept, term }, job)) placed += 1;
  if (placed > 0) context.fault('place-before-commit');
  return placed;
}

/** False when the job goes on waiting. */
async function placeJob(
  context: ControlPlaneContext,
  tx: Tx,
  { org, kept, term }: Turn,
  job: WaitingJob,
): Promise<boolean> {
  const now = context.clock.now();
  const { placement, inventoryEpoch } = await reserveOffer(tx, kept, requestOf(job, now));
  if (!placement.decision.allow) {
    await keepWaiting(context, tx, org, { job, placement });
    return false;
  }
  const { chosen } = placement.decision;
  const signed = signPlacement(context.identity, { org, job, term, placement, inventoryEpoch, now });
  await leaseJob(context, tx, { org, job, chosen, term, ...signed });
  return true;
}

/** The jobs that wait and may be tried now: their time has come, or room for which they wait may be there. */
async function dueOf(
  tx: Tx,
  org: OrgId,
  { jobs, now }: { jobs: readonly WaitingJob[]; now: number },
): Promise<WaitingJob[]> {
  const { past, impossible } = dueAt(now);
  const inTime = ({ not_before: at }: WaitingJob): boolean => at === null || at <= past || at >= impossible;
  const queued = jobs.filter(({ state }) => state === 'queued');
  if (queued.every((job) => inTime(job) || job.retry_reason !== 'no-capacity')) return queued.filter(inTime);
  const { inventory } = await tx
    .selectFrom('organisation')
    .select('inventory')
    .where('org', '=', org)
    .executeTakeFirstOrThrow();
  return queued.filter(
    (job) => inTime(job) || (job.retry_reason === 'no-capacity' && inventory > (job.inventory_seen ?? 0)),
  );
}

async function keepWaiting(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  { job, placement }: { job: WaitingJob; placement: Placement },
): Promise<void> {
  const refused = [...placement.explanation.refused];
  const waitingFor = canonicalJson(refused);
  // The database gives objects back with their keys in another order.
  const same = waitingFor === canonicalJson(job.waiting_for);
  if (same && job.not_before === null) return;
  // It is its machines that it waits for now, no longer the time.
  const values = { waiting_for: waitingFor, not_before: null, retry_reason: null };
  context.store.atCommit(tx, tx.updateTable('job').set(values).where('job', '=', job.job).compile());
  if (same) return;
  await context.record(tx, org, { type: 'job-waiting', job: job.job, refused });
}
