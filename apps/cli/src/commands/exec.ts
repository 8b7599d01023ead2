import type { Command } from '../command.ts';
import { enterJob } from '../job/enter-job.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'JOB -- COMMAND [WORD]…',
  summary: 'run a command in the sandbox of a running job, as the job’s own user; standard input and output are yours',
  options: {},
  words: [2, 257],
  async run(context, [word = '', ...argv]) {
    const stdin = context.stdin.isTTY ? [] : context.stdin;
    const streams = { stdin, stdout: process.stdout, stderr: process.stderr };
    process.exitCode = await withSession(context, (session) =>
      enterJob(context, session, { word, head: { kind: 'exec', argv } }, streams),
    );
  },
};
