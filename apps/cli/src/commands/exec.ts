import type { Command } from '../command.ts';
import { enterJob } from '../job/enter-job.ts';
import { withSession } from '../session.ts';
import { inFrontOf } from '../terminal-stream.ts';

export const command: Command = {
  usage: '[--raw] JOB -- COMMAND [WORD]…',
  summary: 'run a command in the sandbox of a running job, as the job’s own user; standard input and output are yours',
  options: { raw: { type: 'boolean' } },
  words: [2, 257],
  async run(context, [word = '', ...argv], flags) {
    const stdin = context.stdin.isTTY ? [] : context.stdin;
    const raw = flags['raw'] === true;
    const [out, err] = [inFrontOf(process.stdout, raw), inFrontOf(process.stderr, raw)];
    const streams = { stdin, stdout: out.stream, stderr: err.stream };
    try {
      process.exitCode = await withSession(context, (session) =>
        enterJob(context, session, { word, head: { kind: 'exec', argv } }, streams),
      );
    } finally {
      await Promise.all([out.end(), err.end()]);
    }
  },
};
