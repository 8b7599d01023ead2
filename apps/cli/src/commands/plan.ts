import { CliError } from '../cli-error.ts';
import { texts, type Command, type CommandContext } from '../command.ts';
import { planTable } from '../job/plan-table.ts';
import { labelJob, readJob, workloadOf, type LabelledJob, type ReadJob } from '../job/prepared-job.ts';
import { namesOfAgents } from '../placement/names-of-agents.ts';
import { withSession, type Session } from '../session.ts';
import type { PlanAnswer } from '@ringfence/protocol/api';

export const command: Command = {
  usage: '[JOB.yaml] [--leave-out KEY]',
  summary:
    'where a job would run, who refuses it why, and what giving something up would bring; nothing is sent or reserved',
  options: { 'leave-out': { type: 'string', multiple: true } },
  words: [0, 1],
  async run(context, [path = 'job.yaml'], flags) {
    const read = readJob(path, { leaveOut: texts(flags, 'leave-out'), terminal: context.terminal });
    await withSession(context, async (session) => {
      const { labelled, plan } = await planJob(context, session, read);
      await showPlan(context, session, labelled, plan);
    });
  },
};

/** Label and plan of a job. */
export async function planJob(
  context: CommandContext,
  session: Session,
  read: ReadJob,
): Promise<{ labelled: LabelledJob; plan: PlanAnswer }> {
  const labelled = await labelJob(context, session, read);
  const plan = await session.controlPlane.plan({
    placement: labelled.placement,
    sensitivity: labelled.label.sensitivity,
    ...(labelled.label.acceptProviderPlaintext === undefined ? {} : { acceptProviderPlaintext: true }),
  });
  return { labelled, plan };
}

/** Prints a plan, with the servers' names from the custodian; gives the policies of the organisation that forbid it. */
export async function showPlan(
  context: CommandContext,
  session: Session,
  labelled: LabelledJob,
  plan: PlanAnswer,
): Promise<readonly string[]> {
  const { terminal } = context;
  const { placement, labelEnvelope: label } = labelled;
  const job = { label, placement, workload: workloadOf(context, labelled, undefined) };
  const forbidden = await session.custodian.rules.policiesAgainst(job);
  terminal.value({ event: 'plan', label: labelled.label.sensitivity, placement, ...plan, forbidden });
  if (terminal.json) return forbidden;
  terminal.line(planTable(labelled, plan, await namesOfAgents(session)));
  if (forbidden.length > 0)
    terminal.line(`Policy   forbids it: ${forbidden.join(', ')}; \`ringfence policy show\` says why`);
  return forbidden;
}

/** Prints the plan of a job that is about to be launched. Throws CliError `check-failed` where a policy forbids it: the custodian would not take it. */
export async function showLaunchPlan(
  ...[context, session, labelled, plan]: Parameters<typeof showPlan>
): Promise<void> {
  const forbidden = await showPlan(context, session, labelled, plan);
  if (forbidden.length === 0) return;
  throw new CliError('check-failed', `the organisation’s policy forbids this job: ${forbidden.join(', ')}`, {
    next: '`ringfence policy show` says why; narrow privacy.place, or ask an officer',
  });
}
