import { canonicalBytes, type JobId } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { checkPlacement } from '@ringfence/policy';
import type { jobSubmission } from '@ringfence/protocol/api';
import type { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Caller } from '../http/route.ts';
import type { Tx } from '../store/open-store.ts';
import { changeJob } from './change-job.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { takeEarlyWish } from './take-wish.ts';
import { verifyStatement, type VerifiedStatement } from './verified-statement.ts';

type Submission = z.output<typeof jobSubmission>;

/**
 * Takes a job: its statement by the calling device, its label by the organisation's custodian, and digests that tie both to the placement
 * part. Gives the job's id; the same statement again changes nothing. Throws ControlPlaneError `bad-statement`, `conflict`.
 */
export async function submitJob(context: ControlPlaneContext, caller: Caller, submission: Submission): Promise<JobId> {
  const id = await context.changes.run(caller.org, async (tx) => {
    const { job, label } = await checked(context, tx, caller, submission);
    const { body } = job;
    const known = await tx.selectFrom('job').select('job_digest').where('job', '=', body.job).executeTakeFirst();
    if (known !== undefined) {
      if (known.job_digest === job.digest) return body.job;
      throw new ControlPlaneError('conflict', 'this job id stands for another statement', {
        next: 'launch again: each launch has an id of its own',
      });
    }
    const now = context.clock.now();
    const wish = await takeEarlyWish(tx, body.job);
    await tx
      .insertInto('job')
      .values({
        job: body.job,
        org: caller.org,
        device: caller.device,
        type: body.type,
        state: 'submitted',
        sensitivity: label.body.sensitivity,
        job_digest: job.digest,
        job_envelope: JSON.stringify(job.envelope),
        label_envelope: JSON.stringify(label.envelope),
        placement: JSON.stringify(submission.placement),
        priority: submission.placement.priority,
        max_attempts: body.maxAttempts,
        waiting_for: '[]',
        submitted_at: now,
        changed_at: now,
        expires_at: body.expires,
        wanted: body.type === 'serve' && wish?.wanted === true,
      })
      .execute();
    await context.record(tx, caller.org, {
      type: 'job-submitted',
      job: body.job,
      device: caller.device,
      jobDigest: job.digest,
      labelDigest: label.digest,
    });
    const over = body.type === 'serve' && wish?.final === true;
    const event = over ? ({ kind: 'stop-requested', graceMs: 0 } as const) : ({ kind: 'validated' } as const);
    await changeJob(context, tx, { org: caller.org, job: body.job }, event);
    context.fault('submit-before-commit');
    return body.job;
  });
  context.fault('submit-after-commit');
  return id;
}

async function checked(
  context: ControlPlaneContext,
  tx: Tx,
  caller: Caller,
  submission: Submission,
): Promise<{ job: VerifiedStatement<'job'>; label: VerifiedStatement<'label'> }> {
  const { sign_key } = await tx
    .selectFrom('party')
    .select('sign_key')
    .where('id', '=', caller.device)
    .executeTakeFirstOrThrow();
  const { enrolment_key } = await tx
    .selectFrom('organisation')
    .select('enrolment_key')
    .where('org', '=', caller.org)
    .executeTakeFirstOrThrow();
  const job = verifyStatement('job', submission.job, sign_key);
  const label = verifyStatement('label', submission.label, enrolment_key);
  const now = context.clock.now();
  const { placement } = submission;
  const faults = [
    job.body.org !== caller.org || job.body.device !== caller.device
      ? 'the job names another organisation or device'
      : undefined,
    label.body.org !== caller.org || label.body.job !== job.body.job ? 'the label belongs to another job' : undefined,
    job.body.labelDigest !== label.digest ? 'the job names another label' : undefined,
    job.body.constraintDigest !== sha256Hex(canonicalBytes(placement))
      ? 'the job names another placement part'
      : undefined,
    job.body.type !== placement.type ? 'job and placement part differ in type' : undefined,
    job.body.expires <= now || label.body.notAfter <= now ? 'job or label has expired' : undefined,
    checkPlacement(placement, label.body).allow ? undefined : 'the placement part asks for less than the label demands',
  ].filter((fault) => fault !== undefined);
  const [first] = faults;
  if (first !== undefined)
    throw new ControlPlaneError('bad-statement', faults.join('; '), { next: 'launch again with a current client' });
  return { job, label };
}
