import type { Command } from '../command.ts';
import { progressText, proposalOf, proposedText } from '../proposals/proposal-text.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage: 'PROPOSAL',
  summary: 'agree to a proposal, after reading what it says (officers, after a step-up)',
  options: {},
  words: [1, 1],
  async run(context, [id = '']) {
    await withSession(context, async ({ custodian }) => {
      const view = proposalOf(await custodian.access.proposals(), id);
      const what = proposedText(view);
      context.terminal.note(`agreeing to: ${what}`);
      const now = proposalOf(await custodian.access.approveProposal(id, view.digest), id);
      context.terminal.value({ proposal: now, what });
      context.terminal.line(`${id}: ${progressText(now)}`);
    });
  },
};
