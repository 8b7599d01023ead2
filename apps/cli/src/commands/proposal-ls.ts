import type { Command } from '../command.ts';
import { progressText } from '../proposals/proposal-text.ts';
import { withSession } from '../session.ts';
import { table } from '../terminal.ts';

export const command: Command = {
  usage: '',
  summary: 'what takes two people, or one who waits, and how far it is',
  options: {},
  words: [0, 0],
  async run(context) {
    await withSession(context, async ({ custodian }) => {
      const proposals = await custodian.access.proposals();
      context.terminal.value({ proposals });
      const cells = proposals.map((view) => [view.proposal, view.kind, progressText(view), view.device]);
      context.terminal.line(table(['PROPOSAL', 'KIND', 'HOW FAR', 'BY'], cells));
    });
  },
};
