import { isId, parseDuration } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
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
    const view = await withSession(context, async (session) => {
      await refuseEndpoint(session, word);
      return session.controlPlane.stop(await whichJob(session, word), graceMs);
    });
    context.terminal.value(view);
    context.terminal.line(view.state === 'cancelled' ? `${view.job} is cancelled` : `${view.job} is asked to stop`);
  },
};

/** A name of an endpoint means all of its replicas, and stopping one of them would end that one for good. */
async function refuseEndpoint({ custodian }: Session, word: string): Promise<void> {
  if (isId('job', word)) return;
  const { endpoints } = await custodian.endpoints();
  if (endpoints.some(({ name }) => name === word))
    throw new CliError('usage', `${word} is an endpoint`, {
      next: `ringfence endpoint scale ${word} 0 rests it, ringfence endpoint rm ${word} ends it; one replica is stopped by its job's id`,
    });
}
