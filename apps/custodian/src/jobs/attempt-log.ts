import { isId, type AgentId, type DeviceId, type JobId } from '@ringfence/base';
import { readStatement } from '@ringfence/keyring';
import { LOGS } from '../retention/retention-rules.ts';
import { openThing, requireOpen } from '../release/open-gate.ts';
import { sealedLogThing } from '../release/things.ts';
import type { Tx } from '../store/open-store.ts';
import type { OpeningDecision } from '@ringfence/policy/release';
import type { PackReference, sealedLogRequest, sealedLogsAnswer } from '@ringfence/protocol/payload';
import { sql } from 'kysely';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { requireObjects } from '../objects/chunks.ts';
import { LARGEST_AGENT_MANIFEST, objectsOfPack } from '../objects/pack-objects.ts';
import { unwrapKey, wrapKey } from '../objects/wrapped-key.ts';

/** Keeps the log of an attempt that its own agent ran; said again, it changes nothing. Throws CustodianError `not-found`, `missing-objects`. */
export async function storeAttemptLog(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, attempt, pack, bytes }: z.output<typeof sealedLogRequest>,
  agent: AgentId,
): Promise<void> {
  // Nothing of a manifest is read for an agent that may not store one.
  await context.store.withOrg(claimed.org, (tx) => requireGranted(tx, { job, attempt, agent }));
  const objects = await objectsOfPack(context, claimed, pack, LARGEST_AGENT_MANIFEST);
  if (objects === undefined)
    throw new CustodianError('missing-objects', 'the manifest of this log is not stored, or its key does not open it');
  await context.store.withOrg(claimed.org, async (tx) => {
    await requireGranted(tx, { job, attempt, agent });
    await requireObjects(tx, objects, context.clock.now());
    const added = await tx
      .insertInto('attempt_log')
      .values({
        job,
        attempt,
        org: claimed.org,
        manifest: pack.manifest,
        ...(await wrapKey(context, tx, claimed, { ...wrappedFor(job, attempt), key: pack.key })),
        bytes,
        at: context.clock.now(),
      })
      .onConflict((conflict) => conflict.columns(['job', 'attempt']).doNothing())
      .returning('job')
      .executeTakeFirst();
    if (added !== undefined)
      await context.record(tx, claimed.org, { type: 'log-stored', job, attempt, agent, manifest: pack.manifest });
  });
}

/** Locks the attempt for the transaction's length. */
async function requireGranted(
  tx: Tx,
  { job, attempt, agent }: { job: JobId; attempt: number; agent: AgentId },
): Promise<void> {
  const own = await tx
    .selectFrom('attempt')
    .select('attempt')
    .where('job', '=', job)
    .where('attempt', '=', attempt)
    .where('agent', '=', agent)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (own === undefined) throw new CustodianError('not-found', 'this agent was granted no such attempt');
}

/** What `GET /v1/jobs/JOB/logs` asks for. */
export interface AskedLogs {
  readonly job: JobId;
  /** All when absent. */
  readonly attempt: number | undefined;
  readonly device: DeviceId;
}

/**
 * The kept logs of a job, for who may read them: on restricted data whoever ordered it and officers (invariant 7), and only what the owners of
 * its data have released (invariant 8). Throws `not-found`, `not-released` where they have released none.
 */
export async function listAttemptLogs(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, attempt, device }: AskedLogs,
): Promise<z.input<typeof sealedLogsAnswer>> {
  const { logs, kept } = await context.store.withOrg(claimed.org, async (tx) => {
    const row = await tx
      .selectFrom('job')
      .select(['device', 'label_envelope'])
      .where('job', '=', job)
      .executeTakeFirst();
    if (row === undefined || !isId('job', job) || !mayRead(claimed, device, row))
      throw new CustodianError('not-found', 'there is no such job that this device may read', {
        next: 'see `ringfence ps`',
      });
    const found = await readAttemptLogs(context, tx, claimed, { job, attempt });
    const open: typeof found = [];
    let closed: OpeningDecision | undefined;
    // One after the other: each decision is an entry of the ledger.
    for (const log of found) {
      const { manifest } = log.pack;
      const thing = await sealedLogThing(context, tx, claimed, { job, ...log, manifest });
      const decision = thing === undefined ? undefined : await openThing(context, tx, claimed, { thing, device });
      if (decision?.allow === false) closed ??= decision;
      else open.push(log);
    }
    context.fault('opening-before-commit');
    return { logs: open, kept: closed };
  });
  context.fault('opening-after-commit');
  if (logs.length === 0 && kept !== undefined)
    requireOpen(kept, `\`ringfence release request --logs ${job} --purpose PURPOSE\`; its owner approves it`);
  return { project: claimed.project, logs };
}

/** The kept logs of a job with their keys, the lowest attempt first; of one attempt when told; none that is older than its rule allows. */
export async function readAttemptLogs(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, attempt }: { job: JobId; attempt: number | undefined },
): Promise<z.input<typeof sealedLogsAnswer>['logs']> {
  const rows = await tx
    .selectFrom('attempt_log')
    .selectAll()
    .where('job', '=', job)
    .where(sql<boolean>`not ${isLogExpired(context)}`)
    .$if(attempt !== undefined, (query) => query.where('attempt', '=', attempt ?? 0))
    .orderBy('attempt')
    .execute();
  return Promise.all(
    rows.map(async ({ attempt: number, manifest, bytes, ...wrapped }) => ({
      attempt: number,
      pack: { manifest, key: await unwrapKey(context, tx, claimed, { ...wrapped, ...wrappedFor(job, number) }) },
      bytes,
    })),
  );
}

/** To be asked of a row of `attempt_log`. */
export function isLogExpired({ clock }: CustodianContext) {
  return sql<boolean>`exists (
    select 1 from retention
    where retention.artifact = ${LOGS} and attempt_log.at + retention.keep_ms <= ${clock.now()}
  )`;
}

/** A kept log. */
export interface KeptLog {
  readonly job: JobId;
  readonly attempt: number;
  readonly at: number;
  readonly pack: PackReference;
  /** Whether its job is. */
  readonly isOver: boolean;
}

/** All kept logs. */
export async function keptLogs(context: CustodianContext, tx: Tx, claimed: ClaimedOrganisation): Promise<KeptLog[]> {
  const rows = await tx
    .selectFrom('attempt_log')
    .innerJoin('job', 'job.job', 'attempt_log.job')
    .selectAll('attempt_log')
    .select(['closed', 'commit_record'])
    .execute();
  return Promise.all(
    rows.map(async ({ job, attempt, at, manifest, closed, commit_record, ...wrapped }) => ({
      job,
      attempt,
      at,
      pack: { manifest, key: await unwrapKey(context, tx, claimed, { ...wrapped, ...wrappedFor(job, attempt) }) },
      isOver: closed !== null || commit_record !== null,
    })),
  );
}

function mayRead(
  { keyring }: ClaimedOrganisation,
  device: DeviceId,
  job: { device: DeviceId; label_envelope: Parameters<typeof readStatement>[1] },
): boolean {
  if (device === job.device || keyring.isOfficer(device)) return true;
  return readStatement('label', job.label_envelope).claimed.sensitivity !== 'restricted';
}

function wrappedFor(job: JobId, attempt: number) {
  return { object: `log:${job}`, version: attempt };
}
