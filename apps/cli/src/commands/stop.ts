import { isId, parseDuration } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import type { JobView } from '@ringfence/protocol/api';
import { OVER } from '../job/follow-job.ts';
import { whichJob } from '../job/which-job.ts';
import { withSession, type Session } from '../session.ts';

export const command: Command = {
  usage: 'JOB [--grace 10s]',
  summary: 'end a job: SIGTERM, and after the grace SIGKILL',
  options: { grace: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const graceMs = parseDuration(text(flags, 'grace') ?? '10s');
    if (graceMs === undefined || graceMs > 600_000)
      throw new CliError('usage', '--grace is not a time up to 10m', { next: 'write it as 10s or 2m' });
    const { before, view } = await withSession(context, async (session) => {
      await refuseEndpoint(session, word);
      const job = await whichJob(session, word);
      const { state } = await session.controlPlane.job(job);
      return { before: state, view: await session.controlPlane.stop(job, graceMs) };
    });
    context.terminal.value(view);
    context.terminal.line(stoppedText(view, before));
  },
};

/** What came of a stop; of a job that was over before, nothing did. */
export function stoppedText({ job, state }: Pick<JobView, 'job' | 'state'>, before: JobView['state']): string {
  if (OVER.includes(before)) return `${job} was over already: ${before}`;
  return state === 'cancelled' ? `${job} is cancelled` : `${job} is asked to stop`;
}

/** A name of an endpoint means all of its replicas, and stopping one of them would end that one for good. */
async function refuseEndpoint({ custodian }: Session, word: string): Promise<void> {
  if (isId('job', word)) return;
  const { endpoints } = await custodian.endpoints();
  if (endpoints.some(({ name }) => name === word))
    throw new CliError('usage', `${word} is an endpoint`, {
      next: `ringfence endpoint scale ${word} 0 rests it, ringfence endpoint rm ${word} ends it; one replica is stopped by its job's id`,
    });
}
