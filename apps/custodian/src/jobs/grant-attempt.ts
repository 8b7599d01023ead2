import { canonicalBytes, fromUtf8, Secret, type AgentId, type JobId } from '@ringfence/base';
import { sealTo } from '@ringfence/crypto/seal';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { KeyringError, readStatement, signStatement, writeContractFile } from '@ringfence/keyring';
import type { grantAnswer, GrantPayload, GrantRefusal } from '@ringfence/protocol/payload';
import type { GrantStatement } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import { lockAgent } from '../agents/lock-agent.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { recordUse } from '../privacy-ledger/record-use.ts';
import type { NamedSecret } from '../secrets/secret-rows.ts';
import type { Tx } from '../store/open-store.ts';
import { JOB_MISSING } from '../store/sealed-columns.ts';
import { endsBy, FENCED } from './attempt-end.ts';
import { readCheckpoint } from './checkpoint.ts';
import { evaluateGrant, type Evaluation, type GrantJob, type GrantRequest } from './evaluate-grant.ts';
import { judgeJournal } from './grant-journal.ts';
import { recordMounts } from './record-mounts.ts';

type Answer = z.input<typeof grantAnswer>;
type Allowed = Extract<Evaluation, { allow: true }>;

interface Asked {
  readonly request: GrantRequest;
  readonly agent: AgentId;
  readonly job: JobId;
}

const NO_AAD = new Uint8Array();

/**
 * Decides on one attempt and writes decision, fencing token and ledger entry in one transaction. The same agent asking again for the attempt
 * that it was granted gets the same grant.
 */
export async function grantAttempt(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  request: GrantRequest,
  agent: AgentId,
): Promise<Answer> {
  const job = jobOf(request.job);
  if (job === undefined) return { result: 'refused', reason: 'bad-statements' };
  const asked = { request, agent, job };
  const answer = await context.store.withOrg(claimed.org, async (tx) => {
    const decided = await decide(context, tx, claimed, asked);
    context.fault('grant-before-commit');
    return decided;
  });
  context.fault('grant-after-commit');
  // The attempt before it is over.
  if (answer.result === 'granted') context.shredding.ended(job);
  context.link.wake();
  return answer;
}

/** The job that a statement claims to be; it is checked later, against the row of that id. */
function jobOf(envelope: Envelope): JobId | undefined {
  try {
    return readStatement('job', envelope).claimed.job;
  } catch (error) {
    if (error instanceof KeyringError) return undefined;
    throw error;
  }
}

async function decide(context: CustodianContext, tx: Tx, claimed: ClaimedOrganisation, asked: Asked): Promise<Answer> {
  const { request, agent, job: id } = asked;
  const job = await tx
    .selectFrom('job')
    .select(['job', 'job_digest', 'workload', 'attempt', 'commit_record', 'closed'])
    .where('job', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const journal = await judgeAgent(context, tx, claimed, asked);
  if (journal !== undefined) return journal;
  if (job === undefined) return refused(context, tx, claimed, { ...asked, reason: 'unknown-job' });
  // Before the answer to a repetition: an end that was told is final, whatever the control plane leases later.
  if (job.closed !== null) return refused(context, tx, claimed, { ...asked, reason: 'closed' });
  const again = await grantedBefore(tx, asked);
  if (again !== undefined && again.epoch !== claimed.epoch)
    return refused(context, tx, claimed, { ...asked, reason: 'epoch' });
  if (again !== undefined) return again.answer;
  const evaluation = await evaluateGrant(context, tx, claimed, { request, agent, job });
  if (!evaluation.allow) {
    await noteMissing(context, tx, id, evaluation.missing ?? []);
    const { wanted } = evaluation;
    if (wanted !== undefined) {
      const { attempt } = readStatement('lease', request.lease).claimed;
      await recordMounts(context, tx, claimed, { ...wanted, job: id, attempt, agent });
    }
    return refused(context, tx, claimed, { ...asked, ...evaluation });
  }
  return grant(context, tx, claimed, { asked, job, allowed: evaluation });
}

/** Locked agents and copies of agents get nothing; undefined when there is nothing against this one. */
async function judgeAgent(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  asked: Asked,
): Promise<Answer | undefined> {
  const { agent, request } = asked;
  const row = await tx
    .selectFrom('agent')
    .select(['locked', 'journal_seq', 'journal_hash'])
    .where('agent', '=', agent)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined || row.locked !== null) return refused(context, tx, claimed, { ...asked, reason: 'locked' });
  const { journal_seq: seq, journal_hash: hash } = row;
  const verdict = judgeJournal(seq === null || hash === null ? null : { seq, hash }, request);
  if (verdict.kind === 'ask') return { result: 'resume', seq: verdict.seq };
  if (verdict.kind === 'fork') {
    await lockAgent(context, tx, { org: claimed.org, agent, reason: 'fork' });
    return refused(context, tx, claimed, { ...asked, reason: 'fork' });
  }
  await tx
    .updateTable('agent')
    .set({ journal_seq: request.journal.seq, journal_hash: request.journal.hash })
    .where('agent', '=', agent)
    .execute();
  return undefined;
}

/** The grant that this agent already has for this very lease, while the attempt is the current one and not over. */
async function grantedBefore(
  tx: Tx,
  { request, agent, job }: Asked,
): Promise<{ readonly answer: Answer; readonly epoch: number } | undefined> {
  const row = await tx
    .selectFrom('attempt')
    .innerJoin('job', 'job.job', 'attempt.job')
    .select(['attempt.grant_envelope', 'attempt.payload', 'attempt.epoch', 'attempt.ends_by'])
    .where('attempt.job', '=', job)
    .where('attempt.agent', '=', agent)
    .where('attempt.lease_digest', '=', statementDigest(request.lease))
    .where('attempt.stopped', 'is', null)
    .where('attempt.payload', 'is not', null)
    .where('job.commit_record', 'is', null)
    .whereRef('attempt.attempt', '=', 'job.attempt')
    .executeTakeFirst();
  // What was fenced is over, with a lease that runs as without one.
  if (row?.payload == null || row.ends_by === FENCED) return undefined;
  const payload = Buffer.from(row.payload).toString('base64');
  return { answer: { result: 'granted', grant: row.grant_envelope, payload }, epoch: row.epoch };
}

async function grant(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { asked, job, allowed }: { asked: Asked; job: GrantJob; allowed: Allowed },
): Promise<Answer> {
  const { admission } = allowed;
  const { lease } = admission;
  const { attempt } = lease.body;
  const grantedAt = context.clock.now();
  const statement = signGrant(context, claimed, allowed);
  const payload = await sealPayload(context, tx, claimed, allowed);
  const ends = {
    job: job.job,
    attempt,
    granted_at: grantedAt,
    ends_by: endsBy(admission.placement, { grantedAt, ttlMs: lease.body.ttlMs }),
    stopped: null,
  };
  context.leaseEnds.runs(ends);
  await tx
    .insertInto('attempt')
    .values({
      ...ends,
      org: claimed.org,
      agent: asked.agent,
      epoch: claimed.epoch,
      lease_digest: lease.digest,
      grant_envelope: JSON.stringify(statement),
      payload,
      mounts: JSON.stringify(allowed.data.map(({ artifact, version }) => ({ artifact, version }))),
    })
    .execute();
  await tx
    .updateTable('job')
    .set({ attempt, agent: asked.agent, missing_box: null, refused_grant: null })
    .where('job', '=', job.job)
    .execute();
  await context.record(tx, claimed.org, {
    type: 'granted',
    job: job.job,
    attempt,
    agent: asked.agent,
    jobDigest: admission.job.digest,
    leaseDigest: lease.digest,
    receiptDigest: admission.receipt.digest,
    labelDigest: admission.label.digest,
    grantDigest: statementDigest(statement),
    isolation: admission.receipt.body.chosen.isolation,
  });
  const { data, workload } = allowed;
  const { purpose } = workload;
  await recordMounts(context, tx, claimed, { job: job.job, attempt, agent: asked.agent, data, purpose });
  await recordUse(context, tx, claimed, { job: job.job, attempt, type: admission.job.body.type, data });
  return { result: 'granted', grant: statement, payload: payload.toString('base64') };
}

function signGrant(
  { keys, clock }: CustodianContext,
  claimed: ClaimedOrganisation,
  { admission, policy }: Allowed,
): Envelope {
  const { job, label, receipt, lease } = admission;
  const body: GrantStatement = {
    v: 1,
    org: claimed.org,
    job: job.body.job,
    attempt: lease.body.attempt,
    agent: admission.agent.id,
    custodian: keys.id,
    jobDigest: job.digest,
    leaseDigest: lease.digest,
    receiptDigest: receipt.digest,
    labelDigest: label.digest,
    payloadDigest: job.body.payloadDigest,
    isolation: receipt.body.chosen.isolation,
    ...(policy === undefined ? {} : { policy }),
    epoch: claimed.epoch,
    at: clock.now(),
    notAfter: lease.body.notAfter,
  };
  return signStatement('grant', body, [keys.enrolment]);
}

/** The workload with its mounts resolved to packs and its outputs to artifacts, sealed to this agent for this attempt. */
async function sealPayload(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { admission, workload, data, secrets, profile, contract }: Allowed,
): Promise<Buffer> {
  const { org, project } = claimed;
  const { job, attempt } = admission.lease.body;
  const outputs = await tx
    .selectFrom('job_output')
    .select(['artifact', 'version'])
    .where('job', '=', job)
    .orderBy('position')
    .execute();
  const checkpoint = workload.checkpoint === undefined ? undefined : await readCheckpoint(context, tx, claimed, job);
  const payload: GrantPayload = {
    v: 1,
    workload,
    project,
    mounts: workload.mounts.flatMap(({ path }, index): GrantPayload['mounts'] => {
      const found = data[index];
      if (found === undefined) return [];
      const { artifact, version } = found;
      if (found.pack !== undefined) return [{ path, artifact, version, pack: found.pack }];
      return [{ path, artifact, version, place: { path: found.place.path, manifest: found.place.manifest } }];
    }),
    outputs: workload.outputs.flatMap(({ path }, index) => {
      const named = outputs[index];
      return named === undefined ? [] : [{ path, ...named }];
    }),
    ...(secrets.length === 0 ? {} : { secrets: secrets.map(exposed) }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(profile === undefined ? {} : { profile }),
    ...(contract === undefined ? {} : { contract: Buffer.from(writeContractFile(contract)).toString('base64') }),
  };
  const sealing = { info: { purpose: 'grant', org, job, attempt }, aad: NO_AAD } as const;
  using plain = new Secret(canonicalBytes(payload));
  return Buffer.from(await sealTo(admission.agent.seal, sealing, plain.expose()));
}

/** For the payload alone, which is sealed to the agent at once. */
function exposed({ name, value }: NamedSecret): { name: string; value: string } {
  return { name, value: fromUtf8(value.expose()) };
}

/** Which secrets were lacking is for the owner, by `ringfence status`; agent and ledger learn that some were. */
async function noteMissing(
  { columns }: CustodianContext,
  tx: Tx,
  job: JobId,
  missing: readonly string[],
): Promise<void> {
  if (missing.length === 0) return;
  const missing_box = columns.seal(JOB_MISSING, job, [...missing]);
  await tx.updateTable('job').set({ missing_box }).where('job', '=', job).execute();
}

async function refused(
  context: CustodianContext,
  tx: Tx,
  { org }: ClaimedOrganisation,
  { agent, job, reason, checks = [] }: Asked & { reason: GrantRefusal; checks?: readonly string[] },
): Promise<Answer> {
  const told = { agent, reason, checks: checks.slice(0, 32) };
  const refused_grant = JSON.stringify({ at: context.clock.now(), ...told });
  await tx.updateTable('job').set({ refused_grant }).where('job', '=', job).execute();
  await context.record(tx, org, { type: 'grant-refused', job, ...told });
  return { result: 'refused', reason };
}
