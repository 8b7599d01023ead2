import { canonicalBytes } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { checkPlacement } from '@ringfence/policy';
import type { jobSubmission, JobView } from '@ringfence/protocol/api';
import type { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Caller } from '../http/route.ts';
import { checkGang } from '../queue/check-gang.ts';
import { jobShape } from '../queue/job-shape.ts';
import type { Tx } from '../store/open-store.ts';
import { changeKnownJob } from './change-job.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { newJobFacts } from './job-transitions.ts';
import { viewJobIn } from './job-view.ts';
import { takeEarlyWish } from './take-wish.ts';
import { verifyStatement, type VerifiedStatement } from './verified-statement.ts';

type Submission = z.output<typeof jobSubmission>;

/**
 * Takes a job: its statement by the calling device, its label by the organisation's custodian, and digests that tie both to the placement
 * part. Gives the job; the same statement again changes nothing. Throws ControlPlaneError `bad-statement`, `conflict`, `too-much`.
 */
export async function submitJob(
  context: ControlPlaneContext,
  caller: Caller,
  submission: Submission,
): Promise<JobView> {
  // Before the organisation's turn: signatures cost the most, and need nothing that others change.
  const checked = check(context, caller, submission);
  const { body, digest } = checked.job;
  const view = await context.changes.run(caller.org, async (tx) => {
    const [known, wish] = await Promise.all([
      tx.selectFrom('job').select('job_digest').where('job', '=', body.job).executeTakeFirst(),
      takeEarlyWish(tx, body.job),
    ]);
    if (known !== undefined && known.job_digest !== digest)
      throw new ControlPlaneError('conflict', 'this job id stands for another statement', {
        next: 'launch again: each launch has an id of its own',
      });
    if (known !== undefined) return viewJobIn(tx, body.job);
    await context.waitingQuota.admit(tx, caller.org);
    await checkGang(tx, caller, submission.placement);
    const taken = await take(context, tx, caller, { ...checked, placement: submission.placement, wish });
    context.fault('submit-before-commit');
    return taken;
  });
  context.fault('submit-after-commit');
  return view;
}

interface CheckedSubmission {
  readonly job: VerifiedStatement<'job'>;
  readonly label: VerifiedStatement<'label'>;
}

/** Row, first step and view of a new job, in one round trip; its events leave with the COMMIT. */
async function take(
  context: ControlPlaneContext,
  tx: Tx,
  { org, device }: Caller,
  {
    job,
    label,
    placement,
    wish,
  }: CheckedSubmission & Pick<Submission, 'placement'> & { wish: Awaited<ReturnType<typeof takeEarlyWish>> },
): Promise<JobView> {
  const { body } = job;
  const now = context.clock.now();
  const serves = body.type === 'serve';
  const wanted = serves && wish?.wanted === true;
  const insertion = tx.insertInto('job').values({
    job: body.job,
    org,
    device,
    type: body.type,
    state: 'submitted',
    sensitivity: label.body.sensitivity,
    job_digest: job.digest,
    job_envelope: JSON.stringify(job.envelope),
    label_envelope: JSON.stringify(label.envelope),
    placement: JSON.stringify(placement),
    priority: placement.priority,
    max_attempts: body.maxAttempts,
    waiting_for: '[]',
    submitted_at: now,
    changed_at: now,
    expires_at: body.expires,
    gang: placement.gang?.id ?? null,
    shape: jobShape(placement, label.body),
    wanted,
  });
  const facts = newJobFacts({ type: body.type, maxAttempts: body.maxAttempts, retryOn: placement.retryOn, wanted });
  const over = serves && wish?.final === true;
  const event = over ? ({ kind: 'stop-requested', graceMs: 0 } as const) : ({ kind: 'validated' } as const);
  const digests = { jobDigest: job.digest, labelDigest: label.digest };
  await context.record(tx, org, { type: 'job-submitted', job: body.job, device, ...digests });
  const [, , view] = await Promise.all([
    insertion.execute(),
    changeKnownJob(context, tx, { org, job: body.job, facts }, event),
    viewJobIn(tx, body.job),
  ]);
  return view;
}

function check(context: ControlPlaneContext, caller: Caller, submission: Submission): CheckedSubmission {
  const job = verifyStatement('job', submission.job, caller.keys.device);
  const label = verifyStatement('label', submission.label, caller.keys.enrolment);
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
    // No agent takes either, and it is not the agents' fault.
    job.body.expires > label.body.notAfter ? 'the job lasts longer than its label' : undefined,
    placement.budget !== undefined && placement.budget.attempts < job.body.maxAttempts
      ? 'the budget is worked out for fewer attempts than there may be'
      : undefined,
    checkPlacement(placement, label.body).allow ? undefined : 'the placement part asks for less than the label demands',
  ].filter((fault) => fault !== undefined);
  const [first] = faults;
  if (first !== undefined)
    throw new ControlPlaneError('bad-statement', faults.join('; '), { next: 'launch again with a current client' });
  return { job, label };
}
