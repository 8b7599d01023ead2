import type { OrgId } from '@ringfence/base';
import { statementDigest } from '@ringfence/crypto/sign';
import type { Reservation } from '@ringfence/policy/burst';
import type { ChosenOffer } from '@ringfence/policy/placement';
import { sql } from 'kysely';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '../jobs/clock-terms.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { enqueueAll, type Outgoing } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import { takenGpus } from './reserve-offers.ts';
import type { SignedPlacement } from './sign-placement.ts';
import type { WaitingJob } from './waiting-job.ts';

/** A queued job, the offer that it got, and the statements about it. */
export interface LeasedJob extends SignedPlacement {
  readonly job: WaitingJob;
  readonly chosen: ChosenOffer;
  /** What it holds of the budget. */
  readonly reservation?: Reservation | undefined;
}

/** In which organisation, and by which term, jobs are leased. */
interface Leasing {
  readonly org: OrgId;
  readonly term: number;
}

/**
 * Writes down the attempts of jobs whose offers were reserved, and sends their agents the leases, in the caller's transaction: a statement for
 * each table, however many jobs. The events of a job are recorded by the caller, in the order of the jobs of its turn.
 */
export async function leaseJobs(
  context: ControlPlaneContext,
  tx: Tx,
  of: Leasing,
  leased: readonly LeasedJob[],
): Promise<void> {
  if (leased.length === 0) return;
  const now = context.clock.now();
  // They share a round trip, and are done in this order.
  await Promise.all([
    leaveQueue(tx, leased, now),
    insertAttempts(tx, of, { leased, leaseUntil: now + LEASE_TTL_MS + LEASE_GRACE_MS }),
    enqueueAll(context, tx, of.org, leased.map(leaseMessage)),
  ]);
}

/** Records that a queued job was leased: the attempt, then the job's new state. */
export async function recordLease(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  { job, chosen, receipt, lease }: LeasedJob,
): Promise<void> {
  await context.record(tx, org, {
    type: 'attempt-leased',
    job: job.job,
    attempt: job.attempts + 1,
    agent: chosen.agent,
    receiptDigest: statementDigest(receipt),
    leaseDigest: statementDigest(lease),
  });
  await context.record(tx, org, { type: 'job-changed', job: job.job, from: job.state, to: 'leased' });
}

async function leaveQueue(tx: Tx, leased: readonly LeasedJob[], now: number): Promise<void> {
  await tx
    .updateTable('job')
    .set((column) => ({
      attempts: column('attempts', '+', 1),
      state: 'leased',
      changed_at: now,
      waiting_for: '[]',
      not_before: null,
      retry_reason: null,
    }))
    .where('job', '=', sql<LeasedJob['job']['job']>`any(${leased.map(({ job }) => job.job)}::text[])`)
    .execute();
}

async function insertAttempts(
  tx: Tx,
  { org, term }: Leasing,
  { leased, leaseUntil }: { readonly leased: readonly LeasedJob[]; readonly leaseUntil: number },
): Promise<void> {
  const of = <T>(column: (job: LeasedJob) => T): T[] => leased.map(column);
  await sql`
    insert into attempt (
      org, state, live, term, lease_until, job, attempt, agent, offer, cpu_milli, memory_bytes, disk_bytes, gpus, receipt, lease,
      covered_until
    )
    select ${org}, 'leased', true, ${term}::bigint, ${leaseUntil}::bigint,
      job, attempt, agent, offer, cpu_milli, memory_bytes, disk_bytes, gpus::jsonb, receipt::jsonb, lease::jsonb, covered_until
    from unnest(
      ${of(({ job }) => job.job)}::text[], ${of(({ job }) => job.attempts + 1)}::integer[],
      ${of(({ chosen }) => chosen.agent)}::text[], ${of(({ chosen }) => chosen.offer)}::text[],
      ${of(({ chosen }) => chosen.take.cpuMilli)}::bigint[], ${of(({ chosen }) => chosen.take.memoryBytes)}::bigint[],
      ${of(({ chosen }) => chosen.take.diskBytes)}::bigint[], ${of(({ chosen }) => JSON.stringify(takenGpus(chosen.take)))}::text[],
      ${of(({ receipt }) => JSON.stringify(receipt))}::text[], ${of(({ lease }) => JSON.stringify(lease))}::text[],
      ${of(({ reservation }) => reservation?.coveredUntil ?? null)}::bigint[]
    ) as leased (job, attempt, agent, offer, cpu_milli, memory_bytes, disk_bytes, gpus, receipt, lease, covered_until)`.execute(
    tx,
  );
}

function leaseMessage({ job, chosen, receipt, lease }: LeasedJob): Outgoing {
  const body = { job: job.job_envelope, label: job.label_envelope, placement: job.placement, receipt, lease };
  return { party: chosen.agent, message: { name: 'lease', body }, leases: { job: job.job, attempt: job.attempts + 1 } };
}
