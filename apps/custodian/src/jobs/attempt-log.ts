import { isId, type AgentId, type DeviceId, type JobId } from '@ringfence/base';
import { readStatement } from '@ringfence/keyring';
import type { Tx } from '../store/open-store.ts';
import type { PackReference, sealedLogRequest, sealedLogsAnswer } from '@ringfence/protocol/payload';
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
        ...wrapKey(context, claimed, wrappedFor(job, attempt), pack.key),
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

/** The kept logs of a job, for who may read them: on restricted data whoever ordered it and officers (invariant 7). Throws `not-found`. */
export async function listAttemptLogs(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  job: JobId,
  device: DeviceId,
): Promise<z.input<typeof sealedLogsAnswer>> {
  return context.store.withOrg(claimed.org, async (tx) => {
    const row = await tx
      .selectFrom('job')
      .select(['device', 'label_envelope'])
      .where('job', '=', job)
      .executeTakeFirst();
    if (row === undefined || !isId('job', job) || !mayRead(claimed, device, row))
      throw new CustodianError('not-found', 'there is no such job that this device may read', {
        next: 'see `ringfence ps`',
      });
    const logs = await tx.selectFrom('attempt_log').selectAll().where('job', '=', job).orderBy('attempt').execute();
    return {
      project: claimed.project,
      logs: logs.map(({ attempt, manifest, bytes, ...wrapped }) => ({
        attempt,
        pack: { manifest, key: unwrapKey(context, claimed, wrappedFor(job, attempt), wrapped) },
        bytes,
      })),
    };
  });
}

/** The packs of all kept logs. */
export async function logPacks(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
): Promise<PackReference[]> {
  const rows = await tx.selectFrom('attempt_log').selectAll().execute();
  return rows.map(({ job, attempt, manifest, ...wrapped }) => ({
    manifest,
    key: unwrapKey(context, claimed, wrappedFor(job, attempt), wrapped),
  }));
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
