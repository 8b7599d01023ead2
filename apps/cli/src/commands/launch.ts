import { CliError } from '../cli-error.ts';
import { texts, type Command, type CommandContext } from '../command.ts';
import { launchEndpoint } from '../endpoint/launch-endpoint.ts';
import { endReason } from '../job/attempt-end.ts';
import { endText } from '../job/failure-text.ts';
import { waitingText } from '../job/which-attempt.ts';
import { confirmLaunch } from '../job/confirm-launch.ts';
import { followJob, type FollowedJob } from '../job/follow-job.ts';
import { launchGang } from '../job/launch-gang.ts';
import { orderJobs } from '../job/order-jobs.ts';
import { readJob, type LabelledJob } from '../job/prepared-job.ts';
import { whileFollowing } from '../job/while-following.ts';
import { artifactStep } from '../release/how-to-ask.ts';
import type { PlanAnswer } from '@ringfence/protocol/api';
import { MOST_IN_GANG } from '@ringfence/protocol/statements';
import { withSession, type Session } from '../session.ts';
import { planJob, showLaunchPlan } from './plan.ts';

export const command: Command = {
  usage: '[JOB.yaml] [-y] [-d] [--leave-out KEY] | A.yaml B.yaml … --gang [-y]',
  summary:
    'plan, seal, order and follow a job (-y: no question; -d: do not follow; --gang: several that start together or not at all)',
  options: {
    yes: { type: 'boolean', short: 'y' },
    detach: { type: 'boolean', short: 'd' },
    gang: { type: 'boolean' },
    'leave-out': { type: 'string', multiple: true },
  },
  words: [0, MOST_IN_GANG],
  async run(context, paths, flags) {
    const leaveOut = texts(flags, 'leave-out');
    if (flags['gang'] === true) return launchGang(context, paths, { leaveOut, yes: flags['yes'] === true });
    if (paths.length > 1)
      throw new CliError('usage', 'several jobs are launched together as a gang only', {
        next: 'add --gang, or launch each by itself',
      });
    const [path = 'job.yaml'] = paths;
    const read = readJob(path, { leaveOut, terminal: context.terminal });
    await withSession(context, async (session) => {
      const { labelled, plan } = await planJob(context, session, read);
      await showLaunchPlan(context, session, labelled, plan);
      if (flags['yes'] !== true) await confirmLaunch(context);
      if (labelled.job.service !== undefined)
        return launchEndpoint(context, session, {
          labelled,
          service: labelled.job.service,
          detach: flags['detach'] === true,
        });
      await orderJobs(context, session, [labelled]);
      context.terminal.value({ event: 'submitted', job: labelled.id });
      context.terminal.line(`Ordered  ${labelled.id}`);
      if (flags['detach'] === true) return noteWaiting(context, plan);
      const goesOn = `the job goes on: \`ringfence logs -f ${labelled.id}\` follows it again, \`ringfence stop ${labelled.id}\` ends it`;
      const followed = await whileFollowing(context, goesOn, () => followJob(context, session, labelled.id));
      await showResult(context, session, labelled, followed);
    });
  },
};

/** Who does not follow would not see that the job only waits. */
function noteWaiting({ terminal }: CommandContext, { chosen, refused }: PlanAnswer): void {
  if (chosen !== null) return;
  terminal.note(`the job is queued: ${waitingText({ waitingFor: refused })}; it starts when one can`);
}

async function showResult(
  { terminal }: CommandContext,
  session: Session,
  { id: job, label }: LabelledJob,
  { view, attempt }: FollowedJob,
): Promise<void> {
  const { outputs, refusedGrant } = await session.custodian.job(job);
  const last = view.attempts.at(-1);
  terminal.value({
    event: 'result',
    job,
    state: view.state,
    attempt: last?.attempt ?? null,
    isolation: attempt?.isolation ?? null,
    limits: attempt?.limits ?? null,
    failure: attempt?.failure ?? null,
    refusal: last?.refusal ?? null,
    refusedGrant: refusedGrant ?? null,
    stopCause: last?.stopCause ?? null,
    outputs: outputs.map(({ name, version }) => ({ artifact: name, version })),
  });
  terminal.line(
    `Result   ${view.state}${attempt === undefined ? '' : `, isolation ${attempt.isolation}, limits by ${attempt.limits}`}`,
  );
  for (const { name, version } of outputs)
    terminal.line(`Artifact ${name} version ${version}: ${artifactStep({ name, version }, label.sensitivity)}`);
  if (view.state === 'succeeded') return;
  const reason = last === undefined ? undefined : endReason(last, refusedGrant, true);
  const how = attempt === undefined || last?.refusal !== undefined ? '' : endText(attempt);
  throw new CliError(
    'job-failed',
    `the job ended as ${view.state}${how}${reason === undefined ? '' : `: ${reason.what}`}`,
    { next: reason?.next ?? `ringfence logs ${job}` },
  );
}
