import type { OrgId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
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
interface LeasedJob extends SignedPlacement {
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

/** So many leases are written together. */
const TOGETHER = 32;

/**
 * Writes down the attempts of jobs whose offers were reserved, and sends their agents the leases, in one transaction. They go some at a time, with
 * a statement for each table: while some are signed on other threads and others are written by the database, the next are thought out.
 */
export class LeaseWriter {
  readonly #context: ControlPlaneContext;
  readonly #tx: Tx;
  readonly #of: Leasing;
  #leased: LeasedJob[] = [];
  #signing: Promise<readonly SignedJob[]> = Promise.resolve([]);
  readonly #writing: Promise<void>[] = [];
  #count = 0;

  constructor(context: ControlPlaneContext, tx: Tx, of: Leasing) {
    this.#context = context;
    this.#tx = tx;
    this.#of = of;
  }

  /** How many were added. */
  get count(): number {
    return this.#count;
  }

  /** Takes a lease, and records it at once: events are in the order in which leases are added. */
  async add(leased: LeasedJob): Promise<void> {
    this.#count += 1;
    this.#leased.push(leased);
    await recordLease(this.#context, this.#tx, this.#of.org, leased);
    if (this.#leased.length === TOGETHER) await this.#pass();
  }

  /** Resolves when all is written. Throws what kept one from being. */
  async finish(): Promise<void> {
    await this.#pass();
    await this.#write();
    await Promise.all(this.#writing);
  }

  /** Those that are signed go to the database, while these are signed. */
  async #pass(): Promise<void> {
    const next = Promise.all(this.#leased.map(signedJob));
    // Whoever waits for it is told.
    next.catch(() => {});
    this.#leased = [];
    await this.#write();
    this.#signing = next;
  }

  async #write(): Promise<void> {
    const signed = await this.#signing;
    this.#signing = Promise.resolve([]);
    if (signed.length === 0) return;
    const writing = leaseJobs(this.#context, this.#tx, this.#of, signed);
    writing.catch(() => {});
    this.#writing.push(writing);
  }
}

/** A lease with its statements signed. */
interface SignedJob {
  readonly leased: LeasedJob;
  readonly receipt: Envelope;
  readonly lease: Envelope;
}

async function signedJob(leased: LeasedJob): Promise<SignedJob> {
  const [receipt, lease] = await Promise.all([leased.receipt.envelope, leased.lease.envelope]);
  return { leased, receipt, lease };
}

async function leaseJobs(
  context: ControlPlaneContext,
  tx: Tx,
  of: Leasing,
  signed: readonly SignedJob[],
): Promise<void> {
  const now = context.clock.now();
  // They share a round trip, and are done in this order.
  await Promise.all([
    leaveQueue(tx, signed, now),
    insertAttempts(tx, of, { signed, leaseUntil: now + LEASE_TTL_MS + LEASE_GRACE_MS }),
    enqueueAll(context, tx, of.org, signed.map(leaseMessage)),
  ]);
}

/** Records that a queued job was leased: the attempt, then the job's new state. */
async function recordLease(
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
    receiptDigest: receipt.digest,
    leaseDigest: lease.digest,
  });
  await context.record(tx, org, { type: 'job-changed', job: job.job, from: job.state, to: 'leased' });
}

async function leaveQueue(tx: Tx, signed: readonly SignedJob[], now: number): Promise<void> {
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
    .where('job', '=', sql<LeasedJob['job']['job']>`any(${signed.map(({ leased }) => leased.job.job)}::text[])`)
    .execute();
}

async function insertAttempts(
  tx: Tx,
  { org, term }: Leasing,
  { signed, leaseUntil }: { readonly signed: readonly SignedJob[]; readonly leaseUntil: number },
): Promise<void> {
  const of = <T>(column: (job: LeasedJob) => T): T[] => signed.map(({ leased }) => column(leased));
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
      ${signed.map(({ receipt }) => JSON.stringify(receipt))}::text[], ${signed.map(({ lease }) => JSON.stringify(lease))}::text[],
      ${of(({ reservation }) => reservation?.coveredUntil ?? null)}::bigint[]
    ) as leased (job, attempt, agent, offer, cpu_milli, memory_bytes, disk_bytes, gpus, receipt, lease, covered_until)`.execute(
    tx,
  );
}

function leaseMessage({ leased: { job, chosen }, receipt, lease }: SignedJob): Outgoing {
  const body = { job: job.job_envelope, label: job.label_envelope, placement: job.placement, receipt, lease };
  return { party: chosen.agent, message: { name: 'lease', body }, leases: { job: job.job, attempt: job.attempts + 1 } };
}
