import { CliError } from '../cli-error.ts';
import { text, type Command } from '../command.ts';
import { whichJob } from '../job/which-job.ts';
import { writeNewFile } from '../new-file.ts';
import { receiptOfJob } from '../receipt/receipt-of-job.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'JOB [--attempt N] [--out FILE]',
  summary: 'the signed receipt of a job’s placement, to keep: `ringfence receipt verify` reads it without a network',
  options: { attempt: { type: 'string' }, out: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const attempt = attemptOf(text(flags, 'attempt'));
    const { text: file, receipt } = await withSession(context, async (session) =>
      receiptOfJob(session, await session.controlPlane.job(await whichJob(session, word)), attempt),
    );
    const out = text(flags, 'out');
    if (out === undefined) return context.terminal.raw(file);
    writeNewFile(out, file);
    context.terminal.value({ file: out, receipt });
    context.terminal.line(`receipt of attempt ${receipt.attempt} of ${receipt.job}: ${out}`);
  },
};

function attemptOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^[1-9]\d{0,6}$/.test(given)) return Number(given);
  throw new CliError('usage', '--attempt takes a number from 1 on', { next: 'see `ringfence status`' });
}
