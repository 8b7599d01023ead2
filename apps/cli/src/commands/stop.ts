import { parseDuration } from '@ringfence/base';
import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { whichJob } from '../job/which-job.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'JOB [--grace 10s]',
  summary: 'end a job: SIGTERM, and after the grace SIGKILL',
  options: { grace: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const graceMs = parseDuration(text(flags, 'grace') ?? '10s');
    if (graceMs === undefined || graceMs > 600_000)
      throw new CliError('usage', '--grace is not a time up to 10m', { next: 'write it as 10s or 2m' });
    const view = await withSession(context, async (session) =>
      session.controlPlane.stop(await whichJob(session, word), graceMs),
    );
    context.terminal.value(view);
    context.terminal.line(view.state === 'cancelled' ? `${view.job} is cancelled` : `${view.job} is asked to stop`);
  },
};
