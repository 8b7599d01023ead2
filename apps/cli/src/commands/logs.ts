import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { readLog, withAgent } from '../job/agent-client.ts';
import { whichJob } from '../job/which-job.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'JOB [-f] [--attempt N]',
  summary: 'the log of a job, over a payload link from the server that ran it (-f: follow)',
  options: { follow: { type: 'boolean', short: 'f' }, attempt: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    await withSession(context, async (session) => {
      const job = await whichJob(session, word);
      const { attempts } = await session.controlPlane.job(job);
      const wanted = text(flags, 'attempt');
      const chosen =
        wanted === undefined ? attempts.at(-1) : attempts.find(({ attempt }) => String(attempt) === wanted);
      if (chosen === undefined)
        throw new CliError('not-found', 'the job has no such attempt', { next: `ringfence status ${word}` });
      await withAgent(context, session, chosen.agent, async (link) => {
        for await (const line of readLog(link, {
          job,
          attempt: chosen.attempt,
          from: 0,
          follow: flags['follow'] === true,
        })) {
          context.terminal.value(line);
          if (line.kind === 'line') context.terminal.line(line.text);
        }
      });
    });
  },
};
