import { canonicalBytes, epochMs, type JobId, type OrgId } from '@ringfence/base';
import { sha256Hex, signEnvelope, statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { place, type PlaceResult } from '@ringfence/policy';
import type { LeaseStatement, PlacementPart, ReceiptStatement } from '@ringfence/protocol/statements';
import { labelStatement } from '@ringfence/protocol/statements';
import { changeJob } from '../jobs/change-job.ts';
import { LEASE_GRACE_MS, LEASE_START_WITHIN_MS, LEASE_TTL_MS } from '../jobs/clock-terms.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { dueAt } from './back-off-end.ts';
import { addGpus } from './gpu-counts.ts';
import { enqueue } from '../links/outbox.ts';
import type { Tx } from '../store/open-store.ts';
import type { JobTable } from '../store/tables.ts';
import { offerRows, type VersionedOffer } from './offer-rows.ts';
import type { Selectable } from 'kysely';

type JobRow = Pick<Selectable<JobTable>, (typeof COLUMNS)[number]>;

const COLUMNS = [
  'job',
  'state',
  'attempts',
  'job_digest',
  'job_envelope',
  'label_envelope',
  'placement',
  'waiting_for',
  'not_before',
  'retry_reason',
  'inventory_seen',
] as const;

/** Decision, reservation, receipt, lease and message of one waiting job, in one transaction; false when it goes on waiting. */
export async function placeJob(context: ControlPlaneContext, org: OrgId, id: JobId): Promise<boolean> {
  const placed = await context.changes.run(org, async (tx) => {
    const [term, job] = await Promise.all([
      context.term.assertHeld(tx),
      tx.selectFrom('job').select(COLUMNS).where('job', '=', id).forNoKeyUpdate().executeTakeFirst(),
    ]);
    if (job?.state !== 'queued') return false;
    const now = context.clock.now();
    if (!(await itsTime(tx, org, { job, now }))) return false;
    const offers = await offerRows(tx, now);
    const label = readLabel(job.label_envelope);
    const result = place({ placement: job.placement, label, offers, now });
    const chosen = offers.find((offer) => offer.offer === result.chosen?.offer);
    if (!result.decision.allow || chosen === undefined) {
      await keepWaiting(context, tx, org, { job, result });
      return false;
    }
    await reserve(tx, chosen, job.placement);
    const statements = signStatements(context, { org, job, term, result, offers });
    await lease(context, tx, org, { job, chosen, ...statements, term });
    context.fault('place-before-commit');
    return true;
  });
  if (placed) context.fault('place-after-commit');
  return placed;
}

/** Whether a job that backs off may be tried now: its time has come, or room for which it waits may be there. */
async function itsTime(tx: Tx, org: OrgId, { job, now }: { job: JobRow; now: number }): Promise<boolean> {
  const { past, impossible } = dueAt(now);
  if (job.not_before === null || job.not_before <= past || job.not_before >= impossible) return true;
  if (job.retry_reason !== 'no-capacity') return false;
  const { inventory } = await tx
    .selectFrom('organisation')
    .select('inventory')
    .where('org', '=', org)
    .executeTakeFirstOrThrow();
  return inventory > (job.inventory_seen ?? 0);
}

function readLabel(envelope: Envelope): ReturnType<typeof labelStatement.parse> {
  // Verified when the job was submitted; the row is ours.
  return labelStatement.parse(JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8')));
}

async function keepWaiting(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  { job, result }: { job: JobRow; result: PlaceResult },
): Promise<void> {
  const refused = JSON.stringify(result.refused);
  const same = refused === JSON.stringify(job.waiting_for);
  if (same && job.not_before === null) return;
  // It is its machines that it waits for now, no longer the time.
  const values = { waiting_for: refused, not_before: null, retry_reason: null };
  context.store.atCommit(tx, tx.updateTable('job').set(values).where('job', '=', job.job).compile());
  if (same) return;
  await context.record(tx, org, { type: 'job-waiting', job: job.job, refused: [...result.refused] });
}

async function reserve(tx: Tx, offer: VersionedOffer, { resources }: PlacementPart): Promise<void> {
  const gpus = gpusFor(offer, resources);
  const { numUpdatedRows } = await tx
    .updateTable('offer')
    .set((column) => ({
      free_cpu_milli: column('free_cpu_milli', '-', resources.cpuMilli),
      free_memory_bytes: column('free_memory_bytes', '-', resources.memoryBytes),
      free_disk_bytes: column('free_disk_bytes', '-', resources.diskBytes),
      free_gpus: JSON.stringify(addGpus(offer.free.gpus, gpus, -1)),
      row_version: column('row_version', '+', 1),
    }))
    .where('offer', '=', offer.offer)
    .where('row_version', '=', offer.rowVersion)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new Error('an offer changed under the lock of its organisation');
}

/** The machine's GPUs that a job takes: the first kind that satisfies it. */
function gpusFor(offer: VersionedOffer, { gpus }: PlacementPart['resources']): VersionedOffer['free']['gpus'] {
  if (gpus === undefined) return [];
  const kind = offer.free.gpus.find(
    (gpu) =>
      gpu.count >= gpus.count &&
      gpu.memoryBytes >= gpus.memoryBytes &&
      (gpus.model === undefined || gpu.model === gpus.model),
  );
  return kind === undefined ? [] : [{ ...kind, count: gpus.count }];
}

function signStatements(
  context: ControlPlaneContext,
  {
    org,
    job,
    term,
    result,
    offers,
  }: { org: OrgId; job: JobRow; term: number; result: PlaceResult; offers: readonly VersionedOffer[] },
): { receipt: Envelope; leaseEnvelope: Envelope } {
  if (!result.decision.allow) throw new Error('only an allowed placement has statements');
  const now = context.clock.now();
  const attempt = job.attempts + 1;
  const { identity } = context;
  const common = {
    v: 1,
    org,
    job: job.job,
    attempt,
    controlPlane: identity.id,
    jobDigest: job.job_digest,
    at: now,
  } as const;
  const receiptBody: ReceiptStatement = {
    ...common,
    constraintDigest: sha256Hex(canonicalBytes(job.placement)),
    labelDigest: statementDigest(job.label_envelope),
    inventoryEpoch: offers.reduce((sum, offer) => sum + offer.rowVersion, 0),
    considered: result.considered,
    refused: [...result.refused],
    chosen: result.decision.chosen,
  };
  const receipt = signEnvelope('application/vnd.ringfence.receipt.v1+json', receiptBody, [identity.leases]);
  const leaseBody: LeaseStatement = {
    ...common,
    agent: result.decision.chosen.agent,
    receiptDigest: statementDigest(receipt),
    term,
    ttlMs: LEASE_TTL_MS,
    notAfter: epochMs(now + LEASE_START_WITHIN_MS),
  };
  return {
    receipt,
    leaseEnvelope: signEnvelope('application/vnd.ringfence.lease.v1+json', leaseBody, [identity.leases]),
  };
}

async function lease(
  context: ControlPlaneContext,
  tx: Tx,
  org: OrgId,
  {
    job,
    chosen,
    receipt,
    leaseEnvelope,
    term,
  }: { job: JobRow; chosen: VersionedOffer; receipt: Envelope; leaseEnvelope: Envelope; term: number },
): Promise<void> {
  const attempt = job.attempts + 1;
  const { resources } = job.placement;
  const values = { attempts: attempt, waiting_for: '[]', not_before: null, retry_reason: null };
  const update = tx.updateTable('job').set(values).where('job', '=', job.job);
  const insertion = tx.insertInto('attempt').values({
    job: job.job,
    attempt,
    org,
    agent: chosen.agent,
    offer: chosen.offer,
    state: 'leased',
    outcome: null,
    live: true,
    cpu_milli: resources.cpuMilli,
    memory_bytes: resources.memoryBytes,
    disk_bytes: resources.diskBytes,
    gpus: JSON.stringify(gpusFor(chosen, resources)),
    receipt: JSON.stringify(receipt),
    lease: JSON.stringify(leaseEnvelope),
    term,
    lease_until: context.clock.now() + LEASE_TTL_MS + LEASE_GRACE_MS,
  });
  await Promise.all([update.execute(), insertion.execute()]);
  await context.record(tx, org, {
    type: 'attempt-leased',
    job: job.job,
    attempt,
    agent: chosen.agent,
    receiptDigest: statementDigest(receipt),
    leaseDigest: statementDigest(leaseEnvelope),
  });
  await changeJob(context, tx, { org, job: job.job }, { kind: 'placed' });
  const body = {
    job: job.job_envelope,
    label: job.label_envelope,
    placement: job.placement,
    receipt,
    lease: leaseEnvelope,
  };
  await enqueue(context, tx, { party: chosen.agent, org }, { name: 'lease', body });
}
