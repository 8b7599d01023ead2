import type { Command } from '../command.ts';
import { progressText, proposalOf, proposedText } from '../proposals/proposal-text.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'PROPOSAL',
  summary: 'what a proposal would do, and who agrees',
  options: {},
  words: [1, 1],
  async run(context, [id = '']) {
    await withSession(context, async ({ custodian }) => {
      const view = proposalOf(await custodian.access.proposals(), id);
      const what = proposedText(view);
      context.terminal.value({ proposal: view, what });
      context.terminal.line(`${view.proposal}: ${progressText(view)}\n${what}`);
      context.terminal.line(`agreed: ${view.approvals.map(({ device }) => device).join(' ')}`);
    });
  },
};
