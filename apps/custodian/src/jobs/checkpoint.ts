import type { AgentId, JobId } from '@ringfence/base';
import type { checkpointAnswer, checkpointRequest, PackReference } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { haveObjects } from '../objects/chunks.ts';
import { LARGEST_AGENT_MANIFEST, objectsOfPack } from '../objects/pack-objects.ts';
import { unwrapKey, wrapKey } from '../objects/wrapped-key.ts';
import type { Tx } from '../store/open-store.ts';
import { openWorkload } from './open-workload.ts';

type Request = z.output<typeof checkpointRequest>;
type Answer = z.input<typeof checkpointAnswer>;

/**
 * Makes a pack the checkpoint that the job's next attempt finds, in place of the one before. Only the current attempt may, while it has not
 * stopped: the attempt number is the fencing token here too (invariant 5). Stored again, it changes nothing. Every object has to be one that
 * this agent brought: agents read their job's checkpoint, and a manifest of an agent's own making could name anything. Throws CustodianError
 * `bad-request` for a job without checkpoints.
 */
export async function storeCheckpoint(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  request: Request,
  agent: AgentId,
): Promise<Answer> {
  // Nothing of a manifest is read for an agent that may not store one.
  const judged = await context.store.withOrg(claimed.org, (tx) => refusalOf(tx, claimed, request, agent));
  if (judged !== undefined) return judged;
  await requireCheckpoints(context, claimed, request.job);
  const objects = await objectsOfPack(context, claimed, request.pack, LARGEST_AGENT_MANIFEST);
  if (objects === undefined) return { result: 'refused', reason: 'missing-objects' };
  return context.store.withOrg(claimed.org, async (tx): Promise<Answer> => {
    const refusal = await refusalOf(tx, claimed, request, agent);
    if (refusal !== undefined) return refusal;
    if (!(await haveObjects(tx, objects, context.clock.now(), agent)))
      return { result: 'refused', reason: 'missing-objects' };
    await keep(context, tx, claimed, request);
    const { job, attempt } = request;
    await context.record(tx, claimed.org, {
      type: 'checkpointed',
      job,
      attempt,
      agent,
      manifest: request.pack.manifest,
    });
    return { result: 'stored' };
  });
}

async function refusalOf(
  tx: Tx,
  { epoch }: ClaimedOrganisation,
  { job, attempt }: Request,
  agent: AgentId,
): Promise<Answer | undefined> {
  const row = await tx
    .selectFrom('job')
    .innerJoin('attempt', (join) =>
      join.onRef('attempt.job', '=', 'job.job').onRef('attempt.attempt', '=', 'job.attempt'),
    )
    .innerJoin('agent', 'agent.agent', 'attempt.agent')
    .select(['job.attempt', 'job.closed', 'job.commit_record', 'attempt.agent', 'attempt.stopped', 'attempt.epoch'])
    .select('agent.locked')
    .where('job.job', '=', job)
    .forNoKeyUpdate('job')
    .executeTakeFirst();
  if (row === undefined || row.attempt !== attempt || row.agent !== agent || row.epoch !== epoch)
    return { result: 'refused', reason: 'not-current' };
  if (row.stopped !== null || row.closed !== null || row.commit_record !== null)
    return { result: 'refused', reason: 'not-current' };
  return row.locked === null ? undefined : { result: 'refused', reason: 'locked' };
}

async function requireCheckpoints(context: CustodianContext, { org }: ClaimedOrganisation, job: JobId): Promise<void> {
  const row = await context.store.withOrg(org, (tx) =>
    tx.selectFrom('job').select('workload').where('job', '=', job).executeTakeFirstOrThrow(),
  );
  const workload = await openWorkload(context, org, job, row.workload);
  if (workload?.checkpoint === undefined)
    throw new CustodianError('bad-request', 'this job has no checkpoints', {
      next: 'give it a `checkpoint` folder in its job.yaml',
    });
}

async function keep(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, attempt, pack, files, bytes }: Request,
): Promise<void> {
  const row = {
    attempt,
    manifest: pack.manifest,
    ...(await wrapKey(context, tx, claimed, { ...wrappedFor(job), key: pack.key })),
    files,
    bytes,
    at: context.clock.now(),
  };
  await tx
    .insertInto('checkpoint')
    .values({ job, org: claimed.org, ...row })
    .onConflict((conflict) => conflict.column('job').doUpdateSet(row))
    .execute();
}

/** The last complete checkpoint of a job. */
export async function readCheckpoint(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  job: JobId,
): Promise<PackReference | undefined> {
  const row = await tx.selectFrom('checkpoint').selectAll().where('job', '=', job).executeTakeFirst();
  if (row === undefined) return undefined;
  return { manifest: row.manifest, key: await unwrapKey(context, tx, claimed, { ...row, ...wrappedFor(job) }) };
}

/** A job that is over has no next attempt: with the wrapped key of its checkpoint the checkpoint is gone. */
export async function dropCheckpoint(tx: Tx, job: JobId): Promise<void> {
  await tx.deleteFrom('checkpoint').where('job', '=', job).execute();
}

function wrappedFor(job: JobId) {
  return { object: `checkpoint:${job}`, version: 1 };
}
