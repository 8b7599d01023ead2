import { text, type Command } from '../command.ts';
import { validityOf } from '../release/recipients-of.ts';
import { requestLines } from '../release/release-lines.ts';
import { signDecision } from '../release/sign-decision.ts';
import { requestNamed } from '../release/which-request.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'REQUEST [--valid 30d]',
  summary: 'sign, as an owner of the data, that what a request asks for may be opened',
  options: { valid: { type: 'string' } },
  words: [1, 1],
  async run(context, [word = ''], flags) {
    const { terminal } = context;
    const validMs = text(flags, 'valid') === undefined ? undefined : validityOf(flags, '30d');
    const { row, org } = await withSession(context, async (session) => ({
      row: await signDecision(context, session, { request: requestNamed(word), decision: 'approve', validMs }),
      org: session.profile.org,
    }));
    terminal.value(row);
    for (const line of requestLines(row, org)) terminal.line(line);
  },
};
