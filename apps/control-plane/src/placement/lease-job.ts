import type { OrgId } from '@ringfence/base';
import { statementDigest } from '@ringfence/crypto/sign';
import type { ChosenOffer } from '@ringfence/policy/placement';
import type { JobType } from '@ringfence/protocol';
import { changeKnownJob } from '../jobs/change-job.ts';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from '../jobs/clock-terms.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { JobFacts } from '../jobs/job-transitions.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import { takenGpus } from './reserve-offer.ts';
import type { SignedPlacement } from './sign-placement.ts';
import type { WaitingJob } from './waiting-job.ts';

/** A job, the offer that it got, and the statements about it. */
export interface LeasedJob extends SignedPlacement {
  readonly org: OrgId;
  readonly job: WaitingJob;
  readonly chosen: ChosenOffer;
  readonly term: number;
}

/** Writes down the attempt of a job whose offer was reserved, and sends its agent the lease, in the caller's transaction. */
export async function leaseJob(context: ControlPlaneContext, tx: Tx, leased: LeasedJob): Promise<void> {
  const { org, job, chosen, receipt, lease } = leased;
  const attempt = job.attempts + 1;
  const values = { attempts: attempt, waiting_for: '[]', not_before: null, retry_reason: null };
  await context.record(tx, org, {
    type: 'attempt-leased',
    job: job.job,
    attempt,
    agent: chosen.agent,
    receiptDigest: statementDigest(receipt),
    leaseDigest: statementDigest(lease),
  });
  const body = { job: job.job_envelope, label: job.label_envelope, placement: job.placement, receipt, lease };
  // They share a round trip, and are done in this order.
  await Promise.all([
    tx.updateTable('job').set(values).where('job', '=', job.job).execute(),
    insertAttempt(context, tx, leased),
    changeKnownJob(context, tx, { org, job: job.job, facts: factsOf(job) }, { kind: 'placed' }),
    enqueue(context, tx, { party: chosen.agent, org }, { name: 'lease', body }),
  ]);
}

/** The job with the attempt that it now has. */
function factsOf({ type, state, attempts, max_attempts, placement, stopping, wanted }: WaitingJob): JobFacts {
  return {
    // Checked when the job was submitted.
    type: type as JobType,
    state,
    attempts: attempts + 1,
    maxAttempts: max_attempts,
    retryOn: placement.retryOn ?? [],
    stopping,
    wanted,
    attemptLives: true,
    stopSent: false,
  };
}

async function insertAttempt(
  { clock }: ControlPlaneContext,
  tx: Tx,
  { org, job, chosen, receipt, lease, term }: LeasedJob,
): Promise<void> {
  const { agent, offer, take } = chosen;
  await tx
    .insertInto('attempt')
    .values({
      job: job.job,
      attempt: job.attempts + 1,
      org,
      agent,
      offer,
      state: 'leased',
      outcome: null,
      live: true,
      cpu_milli: take.cpuMilli,
      memory_bytes: take.memoryBytes,
      disk_bytes: take.diskBytes,
      gpus: JSON.stringify(takenGpus(take)),
      receipt: JSON.stringify(receipt),
      lease: JSON.stringify(lease),
      term,
      lease_until: clock.now() + LEASE_TTL_MS + LEASE_GRACE_MS,
    })
    .execute();
}
