import { newId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { planJob, showLaunchPlan } from '../commands/plan.ts';
import { withSession } from '../session.ts';
import { confirmLaunch } from './confirm-launch.ts';
import { orderJobs } from './order-jobs.ts';
import { readJob, type LabelledJob, type ReadJob } from './prepared-job.ts';

/** Orders several jobs that start together or not at all, and follows none of them. Throws CliError `usage` and what `launch` throws. */
export async function launchGang(
  context: CommandContext,
  paths: readonly string[],
  { leaveOut, yes }: { readonly leaveOut: readonly string[]; readonly yes: boolean },
): Promise<void> {
  const { terminal } = context;
  const read = gangOf(
    context,
    paths.map((path) => readJob(path, { leaveOut, terminal })),
  );
  await withSession(context, async (session) => {
    const jobs: LabelledJob[] = [];
    for (const one of read) {
      const { labelled, plan } = await planJob(context, session, one);
      await showLaunchPlan(context, session, labelled, plan);
      jobs.push(labelled);
    }
    if (!yes) await confirmLaunch(context);
    for (const labelled of jobs) {
      await orderJobs(context, session, [labelled]);
      terminal.value({ event: 'submitted', job: labelled.id, gang: labelled.gang?.id });
      terminal.line(`Ordered  ${labelled.id}`);
    }
    terminal.note('they start together when all of them fit: `ringfence status JOB` says what each waits for');
  });
}

/** The same jobs as one gang; a service starts and ends by itself. */
function gangOf({ rng }: CommandContext, read: readonly ReadJob[]): ReadJob[] {
  if (read.length < 2)
    throw new CliError('usage', 'a gang has at least two jobs', {
      next: 'name the job files: launch A.yaml B.yaml --gang',
    });
  if (read.some(({ file }) => file.type === 'serve'))
    throw new CliError('usage', 'a service does not start with a gang', { next: 'launch it by itself' });
  const gang = { id: newId('gang', rng), size: read.length };
  return read.map((one) => ({ ...one, gang }));
}
