import type { AgentId } from '@ringfence/base';
import { statementDigest, type Digest, type Envelope } from '@ringfence/crypto/sign';
import { readStatement, signStatement } from '@ringfence/keyring';
import type { commitAnswer, commitRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import { versionRow } from '../artifacts/artifact-rows.ts';
import { insertVersion } from '../artifacts/insert-version.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { enqueue } from '../links/outbox.ts';
import { haveObjects } from '../objects/chunks.ts';
import { outputLabel, type OutputLabel } from '../labels/output-label.ts';
import { LARGEST_AGENT_MANIFEST, objectsOfPack } from '../objects/pack-objects.ts';
import { shredIfOrdered } from '../shredding/shred-rows.ts';
import type { Tx } from '../store/open-store.ts';
import { dropCheckpoint } from './checkpoint.ts';

type Request = z.output<typeof commitRequest>;
type Answer = z.input<typeof commitAnswer>;
type RefusedCommit = Extract<Answer, { result: 'refused' }>['reason'];

/**
 * Makes the outputs of the current attempt the job's result: record, artifacts, ledger entry and the message to the control plane in one
 * transaction. There is at most one commit per job; the same attempt asking again gets the same record.
 */
export async function commitAttempt(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  request: Request,
  agent: AgentId,
): Promise<Answer> {
  // Nothing of a manifest is read for an agent that may not commit.
  const judged = await context.store.withOrg(claimed.org, (tx) => judge(tx, claimed, { request, agent }));
  if (judged.answer !== undefined) return judged.answer;
  const objects = await namedObjects(context, claimed, request);
  const answer = await context.store.withOrg(claimed.org, async (tx) => {
    const decided = await decide(context, tx, claimed, { request, agent, objects });
    context.fault('commit-before-commit');
    return decided;
  });
  context.fault('commit-after-commit');
  context.shredding.ended(request.job);
  context.link.wake();
  context.notices.wake();
  return answer;
}

interface Asked {
  readonly request: Request;
  readonly agent: AgentId;
  readonly objects: readonly Digest[] | undefined;
}

/** Every object of every output; undefined when a manifest is missing or does not open. */
async function namedObjects(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { outputs }: Request,
): Promise<readonly Digest[] | undefined> {
  const named = new Set<Digest>();
  for (const { pack } of outputs) {
    const objects = await objectsOfPack(context, claimed, pack, LARGEST_AGENT_MANIFEST);
    if (objects === undefined) return undefined;
    for (const digest of objects) named.add(digest);
  }
  return [...named];
}

async function decide(context: CustodianContext, tx: Tx, claimed: ClaimedOrganisation, asked: Asked): Promise<Answer> {
  const { answer, job } = await judge(tx, claimed, asked);
  if (answer !== undefined) return answer;
  if (asked.objects === undefined || !(await haveObjects(tx, asked.objects, context.clock.now())))
    return refuse('missing-objects');
  const labelled = readStatement('label', job.label_envelope).claimed;
  const label = await outputLabel(context, tx, claimed, { job: labelled, mounts: job.mounts });
  const commit = signCommit(context, claimed, asked, label);
  await storeCommit(context, tx, claimed, { asked, label, commit });
  return { result: 'committed', commit };
}

type Judged =
  | { readonly answer: Answer; readonly job?: undefined }
  | { readonly answer?: undefined; readonly job: CurrentJob };
type CurrentJob = NonNullable<Awaited<ReturnType<typeof currentJob>>>;

/** Whether this agent may commit these outputs for this job at all; an answer when there is nothing more to ask. */
async function judge(
  tx: Tx,
  claimed: ClaimedOrganisation,
  { request, agent }: Pick<Asked, 'request' | 'agent'>,
): Promise<Judged> {
  const job = await currentJob(tx, request.job);
  if (job?.attempt !== request.attempt || job.agent !== agent) {
    // Only whoever was granted an attempt learns that another one of the job has committed.
    const ended = job !== undefined && job.commit_record !== null && (await wasGranted(tx, request, agent));
    return { answer: refuse(ended ? 'already-committed' : 'not-current') };
  }
  // The same request again: its answer was lost.
  if (job.commit_record !== null) return { answer: { result: 'committed', commit: job.commit_record } };
  // A service makes no results; one that had a commit record would never be granted again.
  if (job.placement.type === 'serve') return { answer: refuse('not-current') };
  if (job.closed !== null || job.epoch !== claimed.epoch) return { answer: refuse('not-current') };
  const locked = await tx.selectFrom('agent').select('locked').where('agent', '=', agent).executeTakeFirstOrThrow();
  if (locked.locked !== null) return { answer: refuse('locked') };
  if (!(await namesExactly(tx, request))) return { answer: refuse('not-current') };
  return { job };
}

async function wasGranted(tx: Tx, { job, attempt }: Request, agent: AgentId): Promise<boolean> {
  const row = await tx
    .selectFrom('attempt')
    .select('attempt')
    .where('job', '=', job)
    .where('attempt', '=', attempt)
    .where('agent', '=', agent)
    .executeTakeFirst();
  return row !== undefined;
}

/** The job with its newest attempt, locked. */
async function currentJob(tx: Tx, id: Request['job']) {
  return tx
    .selectFrom('job')
    .innerJoin('attempt', (join) =>
      join.onRef('attempt.job', '=', 'job.job').onRef('attempt.attempt', '=', 'job.attempt'),
    )
    .select(['job.job', 'job.attempt', 'job.label_envelope', 'job.placement', 'job.commit_record', 'job.closed'])
    .select(['attempt.agent', 'attempt.epoch', 'attempt.mounts'])
    .where('job.job', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** Outputs are those that the grant named, each once. */
async function namesExactly(tx: Tx, { job, outputs }: Request): Promise<boolean> {
  const rows = await tx.selectFrom('job_output').select(['artifact', 'version']).where('job', '=', job).execute();
  const granted = new Set(rows.map(({ artifact, version }) => versionRow(artifact, version)));
  const shown = new Set(outputs.map(({ artifact, version }) => versionRow(artifact, version)));
  return shown.size === outputs.length && [...shown].every((output) => granted.has(output));
}

function signCommit(
  { keys, clock }: CustodianContext,
  { org, epoch }: ClaimedOrganisation,
  { request, agent }: Asked,
  { sensitivity }: OutputLabel,
): Envelope {
  const outputs = request.outputs.map(({ artifact, version, pack }) => ({
    artifact,
    version,
    manifest: pack.manifest,
  }));
  const { job, attempt } = request;
  const body = {
    v: 1,
    org,
    job,
    attempt,
    agent,
    custodian: keys.id,
    epoch,
    sensitivity,
    outputs,
    at: clock.now(),
  } as const;
  return signStatement('commit', body, [keys.enrolment]);
}

async function storeCommit(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { asked, label, commit }: { asked: Asked; label: OutputLabel; commit: Envelope },
): Promise<void> {
  const { job, attempt, outputs } = asked.request;
  const at = context.clock.now();
  for (const { artifact, version, pack, files, bytes } of outputs)
    await insertVersion(context, tx, claimed, {
      artifact,
      version,
      pack,
      files,
      bytes,
      ...label,
      job,
      at,
    });
  const { numUpdatedRows } = await tx
    .updateTable('job')
    .set({ commit_record: JSON.stringify(commit) })
    .where('job', '=', job)
    .where('attempt', '=', attempt)
    .where('commit_record', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new Error('a job changed while it was locked');
  await dropCheckpoint(tx, job);
  await context.notices.note(tx, claimed, job, 'succeeded');
  await shredIfOrdered(tx, job);
  const commitDigest = statementDigest(commit);
  await context.record(tx, claimed.org, { type: 'committed', job, attempt, agent: asked.agent, commitDigest });
  await enqueue(tx, claimed.org, { name: 'committed', body: { job, attempt } });
}

function refuse(reason: RefusedCommit): Answer {
  return { result: 'refused', reason };
}
