import type { Command } from '../command.ts';
import { explanationLines, fixLines } from '../placement/explanation-lines.ts';
import { namesOfAgents } from '../placement/names-of-agents.ts';
import { waitingText } from '../job/which-attempt.ts';
import { whichJob } from '../job/which-job.ts';
import { receiptLines } from '../receipt/receipt-lines.ts';
import { receiptOfJob } from '../receipt/receipt-of-job.ts';
import { withSession } from '../session.ts';

/** States in which no attempt runs or ran last: what placement says now is why. */
const WAITS: readonly string[] = ['submitted', 'parked', 'queued', 'lost'];

export const command: Command = {
  usage: 'JOB',
  summary: 'why a job runs where it does, by its receipt; or why it waits, and what giving something up would bring',
  options: {},
  words: [1, 1],
  async run(context, [word = '']) {
    await withSession(context, async (session) => {
      const job = await whichJob(session, word);
      const view = await session.controlPlane.job(job);
      const waits = WAITS.includes(view.state);
      const now = waits ? await session.controlPlane.why(job) : null;
      const receipt = view.attempts.length === 0 ? null : (await receiptOfJob(session, view)).receipt;
      context.terminal.value({ job, state: view.state, receipt, now });
      if (context.terminal.json) return;
      const nameOf = await namesOfAgents(session);
      context.terminal.line(`${job}: ${view.state}`);
      if (waits && view.waitingFor.length > 0) context.terminal.line(`Waits    ${waitingText(view)}`);
      if (receipt !== null) context.terminal.line(receiptLines(receipt, nameOf).join('\n'));
      if (now === null) return;
      const lines = [...explanationLines(now, nameOf), ...(now.feasible === 0 ? fixLines(now) : [])];
      context.terminal.line(['Now', ...lines].join('\n'));
    });
  },
};
