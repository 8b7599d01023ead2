import type { Command } from '../command.ts';
import { requestLines } from '../release/release-lines.ts';
import { signDecision } from '../release/sign-decision.ts';
import { requestNamed } from '../release/which-request.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'REQUEST',
  summary: 'sign, as an owner of the data, that it may not',
  options: {},
  words: [1, 1],
  async run(context, [word = '']) {
    const { terminal } = context;
    const { row, org } = await withSession(context, async (session) => ({
      row: await signDecision(context, session, {
        request: requestNamed(word),
        decision: 'refuse',
        validMs: undefined,
      }),
      org: session.profile.org,
    }));
    terminal.value(row);
    for (const line of requestLines(row, org)) terminal.line(line);
  },
};
